"""Accounts and sessions in PostgreSQL. Each function runs in the transaction of what it is given."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from shop.account.domain import Account, Delivery, Personal, Registration, Session, login_name
from shop.contracts.claims import Role

__all__ = [
    "TakenError",
    "begin_session",
    "by_login",
    "by_session",
    "change_delivery",
    "change_password",
    "change_personal",
    "delivery",
    "forget_sessions",
    "grant",
    "personal",
    "register",
    "revoke_session",
    "roles_of",
    "rotate_session",
]  # fmt: skip

Connection = AsyncConnection[Any]


class TakenError(Exception):
    """Another account has this e-mail address."""


async def register(connection: Connection, id: int, new: Registration, roles: tuple[Role, ...], now: datetime) -> None:
    """Raises TakenError."""
    given = (id, login_name(new.personal.email), new.personal.email, new.password, new.personal.first_name)
    more = (new.personal.last_name, new.delivery.address, new.delivery.phone_number, list(roles), now, now)
    made = await connection.execute(
        "insert into accounts (id, login, email, password, first_name, last_name, address, phone_number, roles, created_at,"
        " changed_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " on conflict on constraint accounts_login do nothing",
        (*given, *more),
    )
    if made.rowcount == 0:
        raise TakenError


async def by_login(connection: Connection, email: str) -> Account | None:
    cursor = connection.cursor(row_factory=class_row(Account))
    await cursor.execute("select id, password, roles from accounts where login = %s", (login_name(email),))
    return await cursor.fetchone()


async def roles_of(connection: Connection, id: int) -> tuple[Role, ...] | None:
    """None where there is no such account."""
    row = await (await connection.execute("select roles from accounts where id = %s", (id,))).fetchone()
    return None if row is None else tuple(row[0])


async def change_password(connection: Connection, id: int, password: str) -> None:
    await connection.execute("update accounts set password = %s where id = %s", (password, id))


async def grant(connection: Connection, id: int, role: Role, now: datetime) -> bool:
    """Give a role to an account; whether there is such an account."""
    changed = await connection.execute(
        "update accounts set changed_at = %s, roles = case when %s = any(roles) then roles else array_append(roles, %s) end"
        " where id = %s",
        (now, role, role, id),
    )
    return changed.rowcount > 0


async def personal(connection: Connection, id: int) -> Personal | None:
    cursor = connection.cursor(row_factory=class_row(Personal))
    await cursor.execute("select first_name, last_name, email from accounts where id = %s", (id,))
    return await cursor.fetchone()


async def change_personal(connection: Connection, id: int, given: Personal, now: datetime) -> bool:
    """Whether there is such an account. Raises TakenError."""
    try:
        changed = await connection.execute(
            "update accounts set first_name = %s, last_name = %s, email = %s, login = %s, changed_at = %s where id = %s",
            (given.first_name, given.last_name, given.email, login_name(given.email), now, id),
        )
    except UniqueViolation as error:
        raise TakenError from error
    return changed.rowcount > 0


async def delivery(connection: Connection, id: int) -> Delivery | None:
    cursor = connection.cursor(row_factory=class_row(Delivery))
    await cursor.execute("select address, phone_number from accounts where id = %s", (id,))
    return await cursor.fetchone()


async def change_delivery(connection: Connection, id: int, given: Delivery, now: datetime) -> bool:
    """Whether there is such an account."""
    changed = await connection.execute(
        "update accounts set address = %s, phone_number = %s, changed_at = %s where id = %s",
        (given.address, given.phone_number, now, id),
    )
    return changed.rowcount > 0


async def begin_session(connection: Connection, session: Session) -> None:
    await connection.execute(
        "insert into sessions (id, customer_id, current, expires_at) values (%s, %s, %s, %s)",
        (session.id, session.customer_id, session.current, session.expires_at),
    )


async def by_session(connection: Connection, id: str) -> Session | None:
    """The session, which nobody else can change until the transaction ends."""
    cursor = connection.cursor(row_factory=class_row(Session))
    await cursor.execute(
        "select id, customer_id, current, expires_at, revoked_at is not null as revoked"
        " from sessions where id = %s for update",
        (id,),
    )
    return await cursor.fetchone()


async def rotate_session(connection: Connection, id: str, current: str, expires_at: datetime) -> None:
    await connection.execute("update sessions set current = %s, expires_at = %s where id = %s", (current, expires_at, id))


async def revoke_session(connection: Connection, id: str, now: datetime) -> None:
    await connection.execute("update sessions set revoked_at = %s where id = %s and revoked_at is null", (now, id))


async def forget_sessions(connection: Connection, before: datetime) -> None:
    """Forget sessions that have meant nothing since an instant."""
    await connection.execute("delete from sessions where expires_at < %s", (before,))
