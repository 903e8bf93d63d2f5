"""Operators' orders: written down by whoever gives them, carried out by an orchestrator, kept with what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from sagacity.saga.happenings import Order, Ordered
from sagacity.saga.postgres.connection import Connection

__all__ = ["Again", "Command", "Placed", "carried_out", "listed", "place", "placed", "waiting", "waiting_since"]

Command: TypeAlias = Order | Literal["redrive"]
"""What may be written down here: an operator's order, or that a dead letter's command is to be done again."""

_PLACE = """
insert into sagacity.saga_orders (saga, command, step, ordered_by, reason, outcome, done)
values (%(saga)s, %(command)s, %(step)s, %(by)s, %(reason)s, %(outcome)s::text,
    case when %(outcome)s::text is not null then now() end)
returning id
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
where (%(saga)s::text is null or saga = %(saga)s) and (%(before)s::bigint is null or id < %(before)s)
order by id desc limit %(most)s
"""
_PLACED = """
select id, saga, command, step, ordered_by, reason, since, done, outcome from sagacity.saga_orders where id = %s
"""


class Again(msgspec.Struct, frozen=True):
    """A dead letter's command is to be done again: that of this step, if its answer is still awaited."""

    step: str | None


class Placed(msgspec.Struct, frozen=True):
    """An order as it was given, and what became of it: `outcome` is `done`, or why it was refused; None while it waits."""

    id: int
    saga: str
    order: Command
    step: str | None
    by: str
    reason: str | None
    since: datetime
    done: datetime | None
    outcome: str | None


def waiting_since(orders: Iterable[Placed]) -> datetime | None:
    """Since when the order has waited that nobody has carried out for longest; None where none waits."""
    return min((each.since for each in orders if each.outcome is None), default=None)


async def place(
    connection: Connection,
    saga: str,
    order: Command,
    *,
    by: str,
    step: str | None = None,
    reason: str | None = None,
    outcome: str | None = None,
) -> int:
    """Give an order, in the connection's transaction; its number. An orchestrator carries it out within a second or so.
    With an `outcome` it is only written down: what became of it is known already."""
    given = {"saga": saga, "command": order, "step": step, "by": by, "reason": reason, "outcome": outcome}
    row = await (await connection.execute(_PLACE, given)).fetchone()
    assert row is not None
    return int(row[0])


async def placed(connection: Connection, number: int) -> Placed | None:
    """An order, with what became of it so far; None where there is none of this number."""
    row = await (await connection.execute(_PLACED, (number,))).fetchone()
    return None if row is None else Placed(*row)


async def waiting(connection: Connection, most: int) -> list[tuple[int, str, Ordered | Again]]:
    """Orders that nobody has carried out, or is about to: number, saga, order. Held until the transaction ends."""
    rows = await (await connection.execute(_WAITING, (most,))).fetchall()
    return [
        (id, saga, Again(step) if order == "redrive" else Ordered(order, step, by, reason))
        for id, saga, order, step, by, reason in rows
    ]


async def carried_out(connection: Connection, outcomes: Sequence[tuple[int, str]]) -> None:
    """Write down what became of orders."""
    if outcomes:
        await connection.execute(_DONE, ([id for id, _ in outcomes], [outcome for _, outcome in outcomes]))


async def listed(
    connection: Connection, *, saga: str | None = None, before: int | None = None, most: int = 100
) -> Sequence[Placed]:
    """Orders, the newest first, those `before` a number: of one saga, or of all."""
    given = {"saga": saga, "before": before, "most": most}
    rows = await (await connection.execute(_LISTED, given)).fetchall()
    return [Placed(*row) for row in rows]
