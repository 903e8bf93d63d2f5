"""What the account service can be told by its environment (ACCOUNT_...)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

from shop.account.keys import parse_keys
from shop.chassis import parts
from shop.chassis.settings import Secret

__all__ = ["Admin", "Login", "Passwords", "Settings", "Tokens"]


class Tokens(Struct, frozen=True, kw_only=True):
    """How tokens are signed, and how long they hold."""

    keys: Annotated[
        Secret,
        Meta(
            description="keys as id=base64 with commas between, each of 32 bytes or more (openssl rand -base64 32); "
            "the first signs, the others are still believed"
        ),
    ]
    issuer: Annotated[str, Meta(min_length=1, description="who tokens say that they are from")] = "shop-account"
    audience: Annotated[str, Meta(min_length=1, description="whom access tokens say that they are for")] = "shop"
    access_for: Annotated[timedelta, Meta(description="how long an access token holds")] = timedelta(minutes=5)
    refresh_for: Annotated[timedelta, Meta(description="how long a refresh token holds")] = timedelta(minutes=15)


class Passwords(Struct, frozen=True, kw_only=True):
    """What argon2id is to cost. What is kept is hashed again at the next login after a change."""

    memory: Annotated[int, Meta(ge=8, description="KiB for one")] = 19_456
    passes: Annotated[int, Meta(ge=1, description="passes over the memory")] = 2
    at_once: Annotated[int, Meta(ge=1, description="how many are computed at once, each in a thread")] = 2
    waiting: Annotated[int, Meta(ge=0, description="how many may wait; whoever comes then is asked to come later")] = 100


class Login(Struct, frozen=True, kw_only=True):
    """How often somebody may try to log in, by failure or not, within a window."""

    window: Annotated[timedelta, Meta(description="attempts are counted for so long")] = timedelta(minutes=15)
    attempts: Annotated[int, Meta(ge=1, description="attempts from one address at one account")] = 10
    account_attempts: Annotated[
        int,
        Meta(
            ge=1, description="attempts from anywhere at one account; whence somebody has logged in to it, more may be made"
        ),
    ] = 100
    familiar_for: Annotated[
        timedelta, Meta(description="how long it is known whence somebody has logged in to an account")
    ] = timedelta(days=90)
    address_attempts: Annotated[int, Meta(ge=1, description="attempts from one address at any account")] = 1_000
    behind_proxy: Annotated[
        bool, Meta(description="whether the last X-Forwarded-For tells the address; only where a proxy writes it")
    ] = False


class Admin(Struct, frozen=True, kw_only=True):
    """The first administrator, made on start. An account that is there gets the role only if this is its password, too."""

    email: Annotated[str | None, Meta(description="the e-mail address of the first administrator")] = None
    password: Annotated[Secret | None, Meta(description="and the password, which is changed nowhere after that")] = None


class Settings(Struct, frozen=True, kw_only=True):
    """All of them."""

    http: parts.Http = parts.Http()
    rpc: parts.Rpc = parts.Rpc()
    database: parts.Database
    tokens: Tokens
    passwords: Passwords = Passwords()
    login: Login = Login()
    admin: Admin = Admin()
    ids: parts.Ids = parts.Ids()
    otlp: parts.Otlp = parts.Otlp()
    life: parts.Life = parts.Life()
    migrate_on_start: Annotated[bool, Meta(description="whether to bring the database up to date first")] = False

    def problems(self) -> Iterator[tuple[str, str]]:
        """What is wrong beyond single values: the field's path, and why."""
        try:
            parse_keys(self.tokens.keys.reveal())
        except ValueError as error:
            yield "tokens.keys", str(error)
        if (self.admin.email is None) != (self.admin.password is None):
            missing = "admin.email" if self.admin.email is None else "admin.password"
            yield missing, "an administrator's e-mail address and password are set both, or neither"
