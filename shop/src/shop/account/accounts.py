"""What can be asked of the account service: register, log in, refresh, and look at or change one's own."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from msgspec import Struct

from shop.account import attempts, settings, store
from shop.account.domain import Delivery, Personal, Registration, Session, rule_refresh
from shop.account.passwords import Passwords
from shop.account.tokens import Tokens
from shop.chassis.database import Connection, Pool
from shop.chassis.failures import Failure
from shop.chassis.ids import Ids
from shop.chassis.logs import logger
from shop.contracts.claims import ADMIN, CUSTOMER, Role

__all__ = ["Accounts", "Pair", "grant_admin"]

T = TypeVar("T")
_KEPT_AFTER = timedelta(days=1)


class Pair(Struct, frozen=True):
    """What whoever logs in gets."""

    access_token: str
    refresh_token: str


class Accounts:
    """The use cases. Each is one transaction, but for the hashing of passwords, which is done outside of any."""

    def __init__(
        self,
        pool: Pool,
        ids: Ids,
        passwords: Passwords,
        tokens: Tokens,
        given: settings.Settings,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool = pool
        self._ids = ids
        self._passwords = passwords
        self._tokens = tokens
        self._given = given
        self._clock = clock
        self._log = logger("shop.account")

    async def register(self, who: Personal, where: Delivery, password: str, roles: tuple[Role, ...] = (CUSTOMER,)) -> Pair:
        """A new account, logged in. Raises Failure 409 where the e-mail address is taken."""
        id = self._ids.new()
        new = Registration(personal=who, delivery=where, password=await self._passwords.hash(password))
        try:
            async with self._pool.transaction() as connection:
                await store.register(connection, id, new, roles, self._clock())
                pair = await self._begin(connection, id, roles)
        except store.TakenError:
            raise _taken() from None
        self._log.info("registered", customer=str(id))
        return pair

    async def login(self, email: str, password: str, address: str) -> Pair:
        """Log in from an address. Raises Failure 401, which does not tell whether there is such an account; 429 after too
        many attempts."""
        async with self._pool.connection() as connection:
            await attempts.count(connection, self._given.login, email, address, self._clock())
            account = await store.by_login(connection, email)
        if not await self._passwords.verify(account.password if account else None, password) or account is None:
            raise Failure(401, "the e-mail address or the password is wrong", headers={"WWW-Authenticate": "Bearer"})
        renewed = await self._passwords.hash(password) if self._passwords.outdated(account.password) else None
        async with self._pool.transaction() as connection:
            await attempts.succeeded(connection, self._given.login, email, address, self._clock())
            if renewed is not None:
                await store.change_password(connection, account.id, renewed)
            return await self._begin(connection, account.id, account.roles)

    async def refresh(self, token: str) -> Pair:
        """A new pair for a refresh token, which is good no more. Raises Failure 401; one that was used before ends its
        session."""
        said = self._tokens.read_refresh(token)
        if said is None:
            raise _refused("the refresh token is not valid")
        if said.expired:
            raise _refused("the refresh token has expired")
        now = self._clock()
        async with self._pool.transaction() as connection:
            session = await store.by_session(connection, said.session)
            ruling = rule_refresh(session, said.id, now)
            roles = await store.roles_of(connection, said.customer_id)
            if ruling == "rotate" and roles is not None:
                following = secrets.token_urlsafe(16)
                await store.rotate_session(connection, said.session, following, now + self._given.tokens.refresh_for)
                return self._pair(said.customer_id, roles, said.session, following)
            if ruling == "revoke":
                await store.revoke_session(connection, said.session, now)
                self._log.warning("a refresh token was used twice", customer=str(said.customer_id))
        raise _refused("the refresh token is not good any more")

    async def personal(self, id: int) -> Personal:
        async with self._pool.connection() as connection:
            return _there(await store.personal(connection, id))

    async def change_personal(self, id: int, given: Personal) -> Personal:
        """Raises Failure 409 where the e-mail address is another's."""
        try:
            async with self._pool.transaction() as connection:
                _there(await store.change_personal(connection, id, given, self._clock()) or None)
        except store.TakenError:
            raise _taken() from None
        return given

    async def delivery(self, id: int) -> Delivery:
        async with self._pool.connection() as connection:
            return _there(await store.delivery(connection, id))

    async def change_delivery(self, id: int, given: Delivery) -> Delivery:
        async with self._pool.transaction() as connection:
            _there(await store.change_delivery(connection, id, given, self._clock()) or None)
        return given

    async def seed(self, email: str, password: str) -> None:
        """Make the first administrator. An account that has the address already gets the role only if this is its password,
        too: addresses are not verified, and anybody can register one that has become free. It is left as it is else."""
        nobody = Personal(first_name="Shop", last_name="Administrator", email=email)
        nowhere = Delivery(address="-", phone_number="-")
        new = Registration(personal=nobody, delivery=nowhere, password=await self._passwords.hash(password))
        async with self._pool.transaction() as connection:
            with contextlib.suppress(store.TakenError):
                await store.register(connection, self._ids.new(), new, (CUSTOMER, ADMIN), self._clock())
                return
            account = await store.by_login(connection, email)
        if account is None or ADMIN in account.roles:
            return
        if await self._passwords.verify(account.password, password):
            async with self._pool.transaction() as connection:
                await store.grant(connection, account.id, ADMIN, self._clock())
        else:
            self._log.warning(
                "the administrator's address is another account's, which does not get the role; `grant-admin` gives it",
                customer=str(account.id),
            )

    async def sweep(self) -> None:
        """Forget what has expired long ago."""
        now = self._clock()
        async with self._pool.connection() as connection:
            await store.forget_sessions(connection, now - _KEPT_AFTER)
            await attempts.forget(connection, self._given.login, now)

    async def _begin(self, connection: Connection, id: int, roles: Sequence[Role]) -> Pair:
        first, session = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        ends = self._clock() + self._given.tokens.refresh_for
        begun = Session(id=session, customer_id=id, current=first, expires_at=ends, revoked=False)
        await store.begin_session(connection, begun)
        return self._pair(id, roles, session, first)

    def _pair(self, id: int, roles: Sequence[Role], session: str, refresh: str) -> Pair:
        access = self._tokens.access(id, roles, secrets.token_urlsafe(16))
        return Pair(access, self._tokens.refresh(id, session, refresh))


async def grant_admin(pool: Pool, email: str, now: datetime) -> bool:
    """Give an account the role admin; whether there is such an account. Its next access token says so."""
    async with pool.transaction() as connection:
        account = await store.by_login(connection, email)
        return account is not None and await store.grant(connection, account.id, ADMIN, now)


def _taken() -> Failure:
    return Failure(409, "there is an account with this e-mail address", {"email": "is taken"})


def _refused(error: str) -> Failure:
    return Failure(401, error, headers={"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{error}"'})


def _there(found: T | None) -> T:
    if found is None:
        raise Failure(401, "there is no such account any more", headers={"WWW-Authenticate": "Bearer"})
    return found
