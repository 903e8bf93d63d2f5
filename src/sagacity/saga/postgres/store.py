"""What a batch of decisions reads and writes, set by set: a statement for all, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from zlib import crc32

import msgspec
from psycopg.errors import SerializationFailure

from sagacity.saga.decision import SagaEvent
from sagacity.saga.postgres.connection import Connection
from sagacity.saga.state import SagaState, decode

__all__ = [
    "Kept", "StaleError", "due", "ended", "existing", "given", "read", "released", "retire", "unlock", "waiting", "write",
]  # fmt: skip

_NEW = """
begun as (
    insert into sagacity.sagas (id, definition, version, status, revision, due, started, changed, ended, state)
    select id, definition, version, status, revision, due, started, changed, ended, state::text
    from json_to_recordset(%b::json) as given (
        id text, definition text, version integer, status text, revision integer, due bigint, started bigint,
        changed bigint, ended bigint, state json
    )
    on conflict do nothing
    returning 1
)"""
_CHANGED = """
gone_on as (
    update sagacity.sagas as kept
    set version = given.version, status = given.status, revision = given.revision, due = given.due,
        changed = given.changed, ended = given.ended, state = given.state::text
    from json_to_recordset(%b::json) as given (
        id text, version integer, status text, revision integer, due bigint, changed bigint, ended bigint, state json
    )
    where kept.id = given.id and kept.revision = given.revision - 1
    returning 1
)"""
_TOLD = """
told as (
    insert into sagacity.saga_history (saga, number, event)
    select event ->> 'saga', (event ->> 'number')::integer, event::text from json_array_elements(%b::json) as event
)"""
_AGREED = "\nselect sagacity.saga_agreed({counts}, %b::bigint)"
_EXISTING = "select id from sagacity.sagas where id = any(%b::text[])"
_READ = "select id, revision, state from sagacity.sagas where id = any(%b::text[])"
_ENDED = "select id, revision, state from sagacity.sagas where id = any(%b::text[]) and ended is not null"
_DUE = """
select id, revision, state from sagacity.sagas
where due <= %b::bigint - case when exists (
    select from sagacity.saga_behind where until > clock_timestamp()
) then %b::bigint else 0 end
order by due limit %b for update skip locked
"""
_PUT_OFF = 60_000_000
"""Microseconds for which timers wait at most for replicas that are behind."""
_BEHIND_NOW = """
insert into sagacity.saga_behind (replica, until)
values (%b, clock_timestamp() + %b::float8 * interval '1 second')
on conflict (replica) do update set until = excluded.until
"""
_RETIRE = """
update sagacity.sagas as kept set status = 'parked', due = %b
from unnest(%b::text[], %b::integer[]) as found (id, revision)
where kept.id = found.id and kept.revision = found.revision and kept.ended is null
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
where saga.ended is null and saga.status = 'waiting' {among} and not exists (
    select from sagacity.saga_locks as mine
    join sagacity.saga_locks as other on other.resource = mine.resource and other.sequence < mine.sequence
    where mine.saga = saga.id
)
order by saga.started limit %b
"""

_AMONG = """
and saga.id in (
    select (select saga from sagacity.saga_locks as held where held.resource = freed order by sequence limit 1)
    from unnest(%b::text[]) as freed
)
"""

_json = msgspec.json.Encoder().encode


class StaleError(Exception):
    """A saga has gone on meanwhile, or was begun by another: what was decided must be decided anew."""


class _Row(msgspec.Struct, frozen=True):
    id: str
    definition: str
    version: int
    status: str
    revision: int
    due: int | None
    started: int
    changed: int
    ended: int | None
    state: SagaState


class Kept(msgspec.Struct, frozen=True):
    """A saga as it is kept. `saga` is None where its state cannot be read: then `unreadable` says why."""

    id: str
    revision: int
    saga: SagaState | None
    unreadable: str | None = None


async def existing(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Which of these ids are taken."""
    wanted = list(ids)
    return {row[0] for row in await (await connection.execute(_EXISTING, (wanted,))).fetchall()} if wanted else set()


async def read(connection: Connection, ids: Iterable[str]) -> dict[str, Kept]:
    """These sagas, as they stand. They are not held: what is made of them is written only if they stand so still."""
    wanted = list(ids)
    return given(await (await connection.execute(_READ, (wanted,))).fetchall()) if wanted else {}


async def ended(connection: Connection, ids: Sequence[str]) -> dict[str, Kept]:
    """Those of these that have ended."""
    return given(await (await connection.execute(_ENDED, (list(ids),))).fetchall())


async def due(connection: Connection, now: int, most: int) -> dict[str, Kept]:
    """Sagas in which a timer has come, that no other transaction holds now; held until the transaction ends.

    While a replica is behind with its reading, timers wait: the answer may be there already. They do not wait for ever.
    """
    return given(await (await connection.execute(_DUE, (now, _PUT_OFF, most))).fetchall())


async def behind(connection: Connection, replica: str, seconds: float) -> None:
    """A replica is behind with its reading, for so long unless it says so again."""
    await connection.execute(_BEHIND_NOW, (replica, seconds))


def given(rows: Iterable[tuple[str, int, str]]) -> dict[str, Kept]:
    """Rows as sagas. One that cannot be read does not keep the others from being."""
    kept: dict[str, Kept] = {}
    for id, revision, state in rows:
        try:
            kept[id] = Kept(id, revision, decode(state))
        except (msgspec.MsgspecError, ValueError) as error:
            kept[id] = Kept(id, revision, None, f"its state cannot be read: {error}")
    return kept


async def write(
    connection: Connection,
    new: Sequence[SagaState],
    changed: Sequence[tuple[int, SagaState]],
    events: Sequence[SagaEvent],
) -> None:
    """Keep new sagas, those that have changed, each as the next revision of that which it was made from, and their history:
    one statement, which is a transaction unless one is under way.

    Raises StaleError where a new one is there already, or another has gone on with one: then nothing of it is kept.
    """
    parts: list[str] = []
    columns: list[object] = []
    counts: list[str] = []
    if new:
        parts.append(_NEW)
        counts.append("(select count(*) from begun)")
        columns.append(_rows((1, saga) for saga in new))
    if changed:
        parts.append(_CHANGED)
        counts.append("(select count(*) from gone_on)")
        columns.append(_rows((revision + 1, saga) for revision, saga in changed))
    if events:
        parts.append(_TOLD)
        columns.append(_json(events).decode())
    if not parts:
        return
    query = "with" + ",".join(parts) + _AGREED.format(counts=" + ".join(counts) or "0")
    try:
        await (await connection.execute(query.encode(), (*columns, len(new) + len(changed)))).fetchone()
    except SerializationFailure as error:
        raise StaleError from error


def _rows(sagas: Iterable[tuple[int, SagaState]]) -> str:
    return _json(
        [
            _Row(
                saga.id,
                saga.definition,
                saga.version,
                saga.status,
                revision,
                saga.due,
                saga.started,
                saga.changed,
                saga.ended,
                saga,
            )
            for revision, saga in sagas
        ]
    ).decode()


async def retire(connection: Connection, revisions: Mapping[str, int], due: int) -> None:
    """Park sagas whose state cannot be read, so that their timers hold up no other; they are looked at again when it is
    `due` (microseconds since 1970, UTC), and go on as they stand where it can be read then. One that has gone on meanwhile
    from the revision that could not be read is left alone."""
    if revisions:
        await connection.execute(_RETIRE, (due, list(revisions), list(revisions.values())))


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


async def released(connection: Connection, most: int, freed: Iterable[str] | None = None) -> list[str]:
    """Waiting sagas that nothing holds up any longer; of those that wait for these resources, or of all."""
    if freed is None:
        asked = await connection.execute(_RELEASED.format(among="").encode(), (most,))
    else:
        asked = await connection.execute(_RELEASED.format(among=_AMONG).encode(), (list(freed), most))
    return [row[0] for row in await asked.fetchall()]
