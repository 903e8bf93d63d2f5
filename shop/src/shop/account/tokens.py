"""Tokens: JSON Web Tokens that say who they are from, for whom, by which key, and what kind they are.

An access token holds for minutes and is believed by its signature alone. A refresh token belongs to a session, and is
good once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import jwt
from msgspec import Struct

from shop.account import settings
from shop.account.keys import Keys
from shop.chassis.access import Answer, Caller
from shop.chassis.ids import from_public
from shop.contracts.claims import ROLES

__all__ = ["Refresh", "Tokens"]

_ALGORITHM = "HS256"
_ACCESS = "at+jwt"
_REFRESH = "rt+jwt"
_CLAIMS = ["iss", "aud", "sub", "iat", "exp", "jti"]
_UNTIMED = {"require": _CLAIMS, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
"""Time is compared here, with the clock that tokens were issued by."""


class Refresh(Struct, frozen=True):
    """What a refresh token says: its session, its own id, and whether its time is over."""

    session: str
    id: str
    customer_id: int
    expired: bool


class Tokens:
    """Issues tokens, and reads those that it would have issued. `clock` gives an aware datetime."""

    def __init__(self, keys: Keys, given: settings.Tokens, *, clock: Callable[[], datetime]) -> None:
        self._keys = keys
        self._given = given
        self._clock = clock

    def access(self, customer_id: int, roles: Iterable[str], id: str) -> str:
        """An access token."""
        return self._issued(_ACCESS, customer_id, id, self._given.access_for, {"roles": sorted(roles)})

    def refresh(self, customer_id: int, session: str, id: str) -> str:
        """A refresh token of a session."""
        return self._issued(_REFRESH, customer_id, id, self._given.refresh_for, {"sid": session})

    async def ask(self, token: str) -> Answer | None:
        """What an access token stands for: this is the authority that others ask."""
        claims = self._read(_ACCESS, token)
        if claims is None:
            return None
        said = claims.get("roles")
        roles = frozenset(role for role in ROLES if isinstance(said, list) and role in said)
        return Answer(Caller(int(claims["sub"]), roles), self._expired(claims))

    def read_refresh(self, token: str) -> Refresh | None:
        """What a refresh token says; None for what is none."""
        claims = self._read(_REFRESH, token)
        if claims is None or not isinstance(claims.get("sid"), str):
            return None
        return Refresh(claims["sid"], claims["jti"], int(claims["sub"]), self._expired(claims))

    def _issued(self, kind: str, customer_id: int, id: str, held: timedelta, more: dict[str, Any]) -> str:
        now = self._clock()
        claims = {
            "iss": self._given.issuer,
            "aud": self._audience(kind),
            "sub": str(customer_id),
            "iat": now,
            "exp": now + held,
            "jti": id,
            **more,
        }
        headers = {"kid": self._keys.signing, "typ": kind}
        return jwt.encode(claims, self._keys.secrets[self._keys.signing], _ALGORITHM, headers=headers)

    def _read(self, kind: str, token: str) -> dict[str, Any] | None:
        try:
            header = jwt.get_unverified_header(token)
            secret = self._keys.secrets.get(header.get("kid", ""))
            if secret is None or header.get("typ") != kind:
                return None
            claims: dict[str, Any] = jwt.decode(
                token,
                secret,
                algorithms=[_ALGORITHM],
                issuer=self._given.issuer,
                audience=self._audience(kind),
                options=_UNTIMED,  # type: ignore[arg-type]
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        return claims if from_public(claims["sub"]) is not None else None

    def _audience(self, kind: str) -> str:
        """A refresh token is for the account service alone."""
        return self._given.audience if kind == _ACCESS else f"{self._given.issuer}/refresh"

    def _expired(self, claims: dict[str, Any]) -> bool:
        return float(claims["exp"]) <= self._clock().timestamp()
