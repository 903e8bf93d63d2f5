"""Operators' orders: written down by whoever gives them, carried out by an orchestrator, kept with what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sagacity.saga.happenings import Order, Ordered
from sagacity.saga.postgres.connection import Connection

__all__ = ["Placed", "carried_out", "listed", "place", "waiting"]

_PLACE = """
insert into sagacity.saga_orders (saga, command, step, ordered_by, reason) values (%s, %s, %s, %s, %s) returning id
"""
_WAITING = """
select id, saga, command, step, ordered_by, reason from sagacity.saga_orders
where done is null order by id limit %b for update skip locked
"""
_DONE = """
update sagacity.saga_orders as kept set done = now(), outcome = given.outcome
from unnest(%b::bigint[], %b::text[]) as given (id, outcome) where kept.id = given.id
"""
_LISTED = """
select id, saga, command, step, ordered_by, reason, since, done, outcome from sagacity.saga_orders
where %(saga)s::text is null or saga = %(saga)s order by id desc limit %(most)s
"""


class Placed(msgspec.Struct, frozen=True):
    """An order as it was given, and what became of it: `outcome` is `done`, or why it was refused; None while it waits."""

    id: int
    saga: str
    order: Order
    step: str | None
    by: str
    reason: str | None
    since: datetime
    done: datetime | None
    outcome: str | None


async def place(
    connection: Connection, saga: str, order: Order, *, by: str, step: str | None = None, reason: str | None = None
) -> int:
    """Give an order, in the connection's transaction; its number. An orchestrator carries it out within a second or so."""
    row = await (await connection.execute(_PLACE, (saga, order, step, by, reason))).fetchone()
    assert row is not None
    return int(row[0])


async def waiting(connection: Connection, most: int) -> list[tuple[int, str, Ordered]]:
    """Orders that nobody has carried out, or is about to: number, saga, order. Held until the transaction ends."""
    rows = await (await connection.execute(_WAITING, (most,))).fetchall()
    return [(id, saga, Ordered(order, step, by, reason)) for id, saga, order, step, by, reason in rows]


async def carried_out(connection: Connection, outcomes: Sequence[tuple[int, str]]) -> None:
    """Write down what became of orders."""
    if outcomes:
        await connection.execute(_DONE, ([id for id, _ in outcomes], [outcome for _, outcome in outcomes]))


async def listed(connection: Connection, *, saga: str | None = None, most: int = 100) -> Sequence[Placed]:
    """Orders, the newest first: of one saga, or of all."""
    rows = await (await connection.execute(_LISTED, {"saga": saga, "most": most})).fetchall()
    return [Placed(*row) for row in rows]
