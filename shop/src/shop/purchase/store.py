"""Purchases in PostgreSQL, and what was told of them, numbered from 1 for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from psycopg.types.json import Jsonb

from shop.chassis.database import Connection
from shop.chassis.executing import Executes
from shop.purchase.domain import Line, Purchase, Status

__all__ = [
    "CHANNEL",
    "Told",
    "add",
    "claim",
    "claimed",
    "end",
    "find",
    "forget_events",
    "forget_keys",
    "tell",
    "told_after",
]

CHANNEL = "purchase_told"
"""Where the database says whose purchase has something new: its id is the payload."""

_COLUMNS = "id, customer_id, items, quoted, currency, status, reason, created_at, ended_at"
_ADD = """
insert into purchases (id, customer_id, items, quoted, currency, status, created_at) values (%s, %s, %s, %s, %s, %s, %s)
"""
_FIND = f"select {_COLUMNS} from purchases where id = %s"
_CLAIM = """
insert into purchase_keys (customer_id, key, request, purchase_id) values (%s, %s, %s, %s)
on conflict do nothing returning purchase_id
"""
_CLAIMED = "select purchase_id, request from purchase_keys where customer_id = %s and key = %s"
_TELL = """
with numbered as (update purchases set told = told + 1 where id = %(id)s returning told),
told as (
    insert into purchase_events (purchase_id, number, type, data, at)
    select %(id)s, told, %(type)s, %(data)s, %(at)s from numbered returning number
)
select number, pg_notify(%(channel)s, %(notice)s) from told
"""
_END = "update purchases set status = %s, reason = %s, ended_at = %s where id = %s and status = 'PENDING' returning id"
_TOLD = """
select number, type, data::text, at from purchase_events where purchase_id = %s and number > %s order by number limit %s
"""
_FORGET_KEYS = """
delete from purchase_keys where ctid = any(array(
    select ctid from purchase_keys where since < now() - %s order by since limit %s for update skip locked
))
"""
_FORGET_EVENTS = """
delete from purchase_events where ctid = any(array(
    select events.ctid from purchase_events as events join purchases on purchases.id = events.purchase_id
    where events.at < now() - %(after)s and purchases.ended_at < now() - %(after)s
    order by events.at limit %(most)s for update of events skip locked
))
"""


class Told(msgspec.Struct, frozen=True):
    """What was told of a purchase; `data` is JSON, `at` when it happened, UTC."""

    number: int
    type: Literal["step", "result"]
    data: str
    at: datetime


async def add(on: Executes, purchase: Purchase) -> None:
    items = Jsonb(msgspec.to_builtins(purchase.items))
    await on.execute(
        _ADD,
        (
            purchase.id, purchase.customer_id, items, purchase.quoted, purchase.currency, purchase.status,
            purchase.created_at,
        ),
    )  # fmt: skip


async def find(on: Executes, id: int) -> Purchase | None:
    row = await (await on.execute(_FIND, (id,))).fetchone()
    if row is None:
        return None
    id, customer, items, quoted, currency, status, reason, created, ended = row
    lines = msgspec.convert(items, tuple[Line, ...])
    return Purchase(
        id=id, customer_id=customer, items=lines, quoted=quoted, currency=currency, status=status, reason=reason,
        created_at=created, ended_at=ended,
    )  # fmt: skip


async def claim(on: Executes, customer_id: int, key: str, request: bytes, purchase_id: int) -> bool:
    """Keep that a customer's key stands for a purchase; False where it stands for one already. Waits for another that
    is just claiming it."""
    row = await (await on.execute(_CLAIM, (customer_id, key, request, purchase_id))).fetchone()
    return row is not None


async def claimed(on: Executes, customer_id: int, key: str) -> tuple[int, bytes] | None:
    """The purchase that a customer's key stands for, and the fingerprint of what it was asked with."""
    row = await (await on.execute(_CLAIMED, (customer_id, key))).fetchone()
    return None if row is None else (row[0], bytes(row[1]))


async def tell(on: Executes, id: int, type: Literal["step", "result"], data: bytes, at: datetime) -> int | None:
    """Keep what was told of a purchase; its number. None where there is no such purchase. Those who wait are told once the
    transaction is committed."""
    given: dict[str, Any] = {"id": id, "type": type, "data": data.decode(), "at": at, "channel": CHANNEL, "notice": str(id)}
    row = await (await on.execute(_TELL, given)).fetchone()
    return None if row is None else row[0]


async def end(on: Executes, id: int, status: Status, reason: str | None, at: datetime) -> bool:
    """Keep how a purchase has ended; False where that is known already."""
    return await (await on.execute(_END, (status, reason, at, id))).fetchone() is not None


async def told_after(on: Executes, id: int, number: int, most: int = 100) -> Sequence[Told]:
    """What was told of a purchase after one number, in order."""
    rows = await (await on.execute(_TOLD, (id, number, most))).fetchall()
    return [Told(*row) for row in rows]


async def forget_keys(connection: Connection, after: timedelta, most: int) -> int:
    """Forget which purchases customers' keys of so long ago stand for, at most so many; how many."""
    return (await connection.execute(_FORGET_KEYS, (after, most))).rowcount


async def forget_events(connection: Connection, after: timedelta, most: int) -> int:
    """Forget what was told of purchases that ended so long ago, at most so many; how many. How they ended stays."""
    return (await connection.execute(_FORGET_EVENTS, {"after": after, "most": most})).rowcount
