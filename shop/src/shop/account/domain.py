"""Accounts, sessions and what is decided about them. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from shop.contracts.claims import Role

__all__ = ["Account", "Delivery", "Personal", "RefreshRuling", "Registration", "Session", "login_name", "rule_refresh"]


class Personal(Struct, frozen=True, kw_only=True):
    """Who a customer is."""

    first_name: str
    last_name: str
    email: str


class Delivery(Struct, frozen=True, kw_only=True):
    """Where a customer's goods go."""

    address: str
    phone_number: str


class Registration(Struct, frozen=True, kw_only=True):
    """Somebody who wants an account; the password is hashed already."""

    personal: Personal
    delivery: Delivery
    password: str


class Account(Struct, frozen=True, kw_only=True):
    """What is needed of an account to let somebody in. `password` is its hash."""

    id: int
    password: str
    roles: Sequence[Role]


class Session(Struct, frozen=True, kw_only=True):
    """What began with a login, and goes on with each refresh. `current` is the id of the one refresh token that is good."""

    id: str
    customer_id: int
    current: str
    expires_at: datetime
    revoked: bool


RefreshRuling: TypeAlias = Literal["rotate", "refuse", "revoke"]


def rule_refresh(session: Session | None, presented: str, now: datetime) -> RefreshRuling:
    """What to do with a refresh token whose signature is good, and whose id is `presented`.

    One that was used before is in two hands: its holder's, and somebody else's. Which is which cannot be known, so the whole
    session ends, and the newest token with it.
    """
    if session is None or session.revoked or session.expires_at <= now:
        return "refuse"
    return "rotate" if session.current == presented else "revoke"


def login_name(email: str) -> str:
    """What tells one e-mail address from another: capitals, and ways to write the same letter, do not."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()
