"""Sagas to look at: lists, one with its history, counts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sagacity.saga.decision import SagaEvent
from sagacity.saga.postgres.connection import Connection
from sagacity.saga.postgres.orders import Placed
from sagacity.saga.postgres.orders import listed as orders_of
from sagacity.saga.postgres.store import given
from sagacity.saga.state import SagaState, decode

__all__ = ["Line", "Shown", "counts", "listed", "shown", "state", "unended"]

_LISTED = """
select id, definition, version, status, started, changed, ended, due from sagacity.sagas
where (%(definition)s::text is null or definition = %(definition)s)
    and (%(status)s::text is null or status = %(status)s)
    and (%(before)s::bigint is null or started < %(before)s)
order by started desc, id limit %(most)s
"""
_STATE = "select state from sagacity.sagas where id = %s"
_HISTORY = "select event from sagacity.saga_history where saga = %s order by number"
_UNENDED = """
select id, revision, state from sagacity.sagas where ended is null and due is not null and id > %s order by id limit %s
"""
_COUNTS = "select definition, version, status, count(*) from sagacity.sagas group by definition, version, status"

_event = msgspec.json.Decoder(SagaEvent).decode


class Line(msgspec.Struct, frozen=True):
    """A saga in a list. Times are microseconds since 1970, UTC."""

    id: str
    definition: str
    version: int
    status: str
    started: int
    changed: int
    ended: int | None
    due: int | None


class Shown(msgspec.Struct, frozen=True):
    """A saga with all that has happened to it, and what operators have ordered, the newest first."""

    saga: SagaState
    history: tuple[SagaEvent, ...]
    orders: tuple[Placed, ...]


async def listed(
    connection: Connection,
    *,
    definition: str | None = None,
    status: str | None = None,
    before: int | None = None,
    most: int = 100,
) -> Sequence[Line]:
    """Sagas, those that were started last first; those started `before` an instant."""
    given = {"definition": definition, "status": status, "before": before, "most": most}
    return [Line(*row) for row in await (await connection.execute(_LISTED, given)).fetchall()]


async def state(connection: Connection, id: str) -> SagaState | None:
    """A saga as it stands; None where there is none of this id."""
    row = await (await connection.execute(_STATE, (id,))).fetchone()
    return None if row is None else decode(row[0])


async def unended(connection: Connection, after: str, most: int) -> Sequence[SagaState]:
    """Sagas that wait for something, in the order of their ids, after one; those that can be read."""
    rows = await (await connection.execute(_UNENDED, (after, most))).fetchall()
    return [kept.saga for kept in given(rows).values() if kept.saga is not None]


async def shown(connection: Connection, id: str) -> Shown | None:
    """A saga with its history and orders; None where there is none of this id."""
    saga = await state(connection, id)
    if saga is None:
        return None
    rows = await (await connection.execute(_HISTORY, (id,))).fetchall()
    return Shown(saga, tuple(_event(event) for (event,) in rows), tuple(await orders_of(connection, saga=id)))


async def counts(connection: Connection) -> dict[tuple[str, int, str], int]:
    """How many sagas there are, by definition, version and status."""
    rows = await (await connection.execute(_COUNTS)).fetchall()
    return {(definition, version, status): count for definition, version, status, count in rows}
