"""What a batch of decisions reads and writes, set by set: a statement for all, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from zlib import crc32

import msgspec

from sagacity.saga.decision import SagaEvent
from sagacity.saga.postgres.connection import Connection
from sagacity.saga.state import SagaState, decode, encode

__all__ = [
    "Kept",
    "due",
    "existing",
    "given",
    "insert",
    "locked",
    "released",
    "retire",
    "tell",
    "unlock",
    "update",
    "waiting",
]

_GIVEN = """
insert into sagacity.sagas (id, definition, version, status, revision, due, started, changed, ended, state)
select id, definition, version, status, 1, due, started, changed, ended, state
from unnest(
    %b::text[], %b::text[], %b::integer[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[]
) as given (id, definition, version, status, due, started, changed, ended, state)
on conflict do nothing
returning id
"""
_EXISTING = "select id from sagacity.sagas where id = any(%b::text[])"
_LOCKED = """
select id, revision, state from sagacity.sagas where id = any(%b::text[]) order by id for update
"""
_UPDATE = """
update sagacity.sagas as kept
set version = given.version, status = given.status, revision = given.revision + 1, due = given.due,
    changed = given.changed, ended = given.ended, state = given.state
from unnest(
    %b::text[], %b::integer[], %b::integer[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[]
) as given (id, revision, version, status, due, changed, ended, state)
where kept.id = given.id and kept.revision = given.revision
"""
_DUE = """
select id, revision, state from sagacity.sagas where due <= %b::bigint order by due limit %b for update skip locked
"""
_TELL = """
insert into sagacity.saga_history (saga, number, event) select * from unnest(%b::text[], %b::integer[], %b::text[])
"""
_RETIRE = """
update sagacity.sagas set status = 'parked', due = null where id = any(%b::text[])
"""
_SERIALISE = """
select pg_advisory_xact_lock(7238112, number) from unnest(%b::integer[]) as number
"""
_QUEUE = """
insert into sagacity.saga_locks (resource, saga)
select resource, saga from unnest(%b::text[], %b::text[]) with ordinality as asked (resource, saga, place)
where not exists (select from sagacity.sagas where id = saga)
    and not exists (select from sagacity.saga_locks as held where held.saga = asked.saga)
order by place
"""
_BEHIND = """
select distinct mine.saga from sagacity.saga_locks as mine
join sagacity.saga_locks as other on other.resource = mine.resource and other.sequence < mine.sequence
where mine.saga = any(%b::text[])
"""
_UNLOCK = """
delete from sagacity.saga_locks where saga = any(%b::text[])
"""
_RELEASED = """
select saga.id from sagacity.sagas as saga
where saga.ended is null and saga.status = 'waiting' and not exists (
    select from sagacity.saga_locks as mine
    join sagacity.saga_locks as other on other.resource = mine.resource and other.sequence < mine.sequence
    where mine.saga = saga.id
)
order by saga.started limit %b
"""

_event = msgspec.json.Encoder().encode


class Kept(msgspec.Struct, frozen=True):
    """A saga as it is kept. `saga` is None where its state cannot be read: then `unreadable` says why."""

    id: str
    revision: int
    saga: SagaState | None
    unreadable: str | None = None


async def insert(connection: Connection, sagas: Sequence[SagaState]) -> set[str]:
    """Keep new sagas; the ids of those that were new. Waits for another transaction that keeps the same."""
    if not sagas:
        return set()
    ordered = sorted(sagas, key=lambda saga: saga.id)
    rows = await connection.execute(
        _GIVEN,
        (
            [saga.id for saga in ordered],
            [saga.definition for saga in ordered],
            [saga.version for saga in ordered],
            [saga.status for saga in ordered],
            [saga.due for saga in ordered],
            [saga.started for saga in ordered],
            [saga.changed for saga in ordered],
            [saga.ended for saga in ordered],
            [encode(saga).decode() for saga in ordered],
        ),
    )
    return {row[0] for row in await rows.fetchall()}


async def existing(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Which of these ids are taken."""
    wanted = list(ids)
    return {row[0] for row in await (await connection.execute(_EXISTING, (wanted,))).fetchall()} if wanted else set()


async def locked(connection: Connection, ids: Iterable[str]) -> dict[str, Kept]:
    """These sagas, held until the transaction ends, in the order of their ids so that none waits in a circle."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return given(await (await connection.execute(_LOCKED, (wanted,))).fetchall())


async def due(connection: Connection, now: int, most: int) -> dict[str, Kept]:
    """Sagas in which a timer has come, that no other transaction holds now; held until the transaction ends."""
    return given(await (await connection.execute(_DUE, (now, most))).fetchall())


def given(rows: Iterable[tuple[str, int, str]]) -> dict[str, Kept]:
    """Rows as sagas. One that cannot be read does not keep the others from being."""
    kept: dict[str, Kept] = {}
    for id, revision, state in rows:
        try:
            kept[id] = Kept(id, revision, decode(state))
        except (msgspec.MsgspecError, ValueError) as error:
            kept[id] = Kept(id, revision, None, f"its state cannot be read: {error}")
    return kept


async def update(connection: Connection, sagas: Sequence[tuple[int, SagaState]]) -> int:
    """Keep these, each as the next revision of that which it was made from. How many were still of that revision: where
    another has gone on meanwhile, nothing is written, and the transaction must be rolled back."""
    if not sagas:
        return 0
    ordered = sorted(sagas, key=lambda each: each[1].id)
    written = await connection.execute(
        _UPDATE,
        (
            [saga.id for _, saga in ordered],
            [revision for revision, _ in ordered],
            [saga.version for _, saga in ordered],
            [saga.status for _, saga in ordered],
            [saga.due for _, saga in ordered],
            [saga.changed for _, saga in ordered],
            [saga.ended for _, saga in ordered],
            [encode(saga).decode() for _, saga in ordered],
        ),
    )
    return written.rowcount


async def tell(connection: Connection, events: Sequence[SagaEvent]) -> None:
    """Add to the history of sagas."""
    if events:
        columns = (
            [event.saga for event in events],
            [event.number for event in events],
            [_event(event).decode() for event in events],
        )
        await connection.execute(_TELL, columns)


async def retire(connection: Connection, ids: Sequence[str]) -> None:
    """Park sagas whose state cannot be read, so that their timers hold up no other."""
    if ids:
        await connection.execute(_RETIRE, (list(ids),))


async def waiting(connection: Connection, resources: Mapping[str, Sequence[str]]) -> set[str]:
    """Let new sagas, by id and in the order of their start, lock their resources; which of them have to wait for others.

    Whoever starts a saga on the same resource meanwhile waits until this transaction has ended.
    """
    pairs = [(resource, saga) for saga, wanted in resources.items() for resource in wanted]
    if not pairs:
        return set()
    numbers = sorted({crc32(resource.encode()) - 2**31 for resource, _ in pairs})
    await connection.execute(_SERIALISE, (numbers,))
    await connection.execute(_QUEUE, ([resource for resource, _ in pairs], [saga for _, saga in pairs]))
    return {row[0] for row in await (await connection.execute(_BEHIND, (list(resources),))).fetchall()}


async def unlock(connection: Connection, ids: Sequence[str]) -> None:
    """Let go of what sagas that have ended held."""
    if ids:
        await connection.execute(_UNLOCK, (list(ids),))


async def released(connection: Connection, most: int) -> list[str]:
    """Waiting sagas that nothing holds up any longer."""
    return [row[0] for row in await (await connection.execute(_RELEASED, (most,))).fetchall()]
