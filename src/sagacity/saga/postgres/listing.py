"""Sagas to look at: lists, one with its history, counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sagacity.errors import UsageError
from sagacity.saga.decide.allowed import Allowed, allowed
from sagacity.saga.decision import SagaEvent
from sagacity.saga.definition import Saga
from sagacity.saga.postgres.connection import Connection
from sagacity.saga.postgres.definitions import one
from sagacity.saga.postgres.orders import Placed
from sagacity.saga.postgres.orders import listed as orders_of
from sagacity.saga.postgres.store import Kept, given
from sagacity.saga.state import ENDED, SagaState, decode
from sagacity.saga.transitions import PARKED

__all__ = ["Line", "Shown", "Which", "counts", "listed", "shown", "state", "unended"]

_COLUMNS = "select id, definition, version, status, started, changed, ended, due, revision, state from sagacity.sagas"
_FITTING: Mapping[str, str] = {
    "definition": "definition = %(definition)s",
    "version": "version = %(version)s",
    "states": "status = any(%(states)s)",
    "since": "started >= %(since)s",
    "before": "started < %(before)s",
    "resource": "id in (select saga from sagacity.saga_locks where resource = %(resource)s "
    "or substring(resource from position('=' in resource) + 1) in (%(resource)s, to_json(%(resource)s::text)::text))",
}
"""What each filter that is given asks of a saga."""
_OPEN = "ended is null"
_AFTER = {False: "(started, id) < (%(started)s, %(id)s)", True: "(started, id) > (%(started)s, %(id)s)"}
_ORDER = {False: "order by started desc, id desc", True: "order by started, id"}
_STOOD = """
select saga, event from sagacity.saga_history
where saga = any(%s) and event ~ '"type":"Saga(Parked|Resumed)"' order by saga, number
"""
_STATE = "select state from sagacity.sagas where id = %s"
_HISTORY = "select event from sagacity.saga_history where saga = %s order by number"
_BEFORE = """
select distinct on (other.saga) other.saga from sagacity.saga_locks as mine
join sagacity.saga_locks as other on other.resource = mine.resource and other.sequence < mine.sequence
where mine.saga = %s order by other.saga limit 20
"""
_UNENDED = """
select id, revision, state from sagacity.sagas where ended is null and due is not null and id > %s order by id limit %s
"""
_COUNTS = """
select definition, version, status, count(*) from sagacity.sagas {which} group by definition, version, status
"""
_WHETHER_ENDED: Mapping[bool | None, str] = {None: "", True: "where ended is not null", False: "where ended is null"}

_event = msgspec.json.Decoder(SagaEvent).decode


class Which(msgspec.Struct, frozen=True, kw_only=True):
    """Which sagas to list; what is None or empty asks for nothing. `since` and `before` are bounds of their start, in
    microseconds since 1970, UTC. `resource` is a key such as `account="17"`, or its value alone: of sagas that hold it or
    wait for it."""

    definition: str | None = None
    version: int | None = None
    states: tuple[str, ...] = ()
    resource: str | None = None
    since: int | None = None
    before: int | None = None


class Line(msgspec.Struct, frozen=True):
    """A saga in a list. Times are microseconds since 1970, UTC.

    `stands` is since when it is as it is: a parked saga, since it has been parked without a break; any other, since
    something last happened to it. `parked` are the steps that it is parked at, none where it is in quarantine. `cause` says
    why it is parked, turned back or in quarantine.
    """

    id: str
    definition: str
    version: int
    status: str
    started: int
    changed: int
    ended: int | None
    due: int | None
    stands: int = 0
    cause: str | None = None
    parked: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


class Shown(msgspec.Struct, frozen=True):
    """A saga with all that has happened to it, and what operators have ordered, the newest first.

    `saga` is None where its state cannot be read, `definition` where that is not known; `problem` says why. `before` are
    sagas that hold what it waits for. `allowed` is what may be ordered now.
    """

    line: Line
    saga: SagaState | None
    history: tuple[SagaEvent, ...]
    orders: tuple[Placed, ...]
    definition: Saga | None = None
    problem: str | None = None
    before: tuple[str, ...] = ()
    allowed: tuple[Allowed, ...] = ()


async def listed(
    connection: Connection,
    which: Which = Which(),  # noqa: B008 - frozen
    *,
    status: str | None = None,
    after: tuple[int, str] | None = None,
    oldest: bool = False,
    most: int = 100,
) -> Sequence[Line]:
    """Sagas, those that were started last first, or the `oldest` first; those that come `after` one, by start and id.
    `status` is short for one of the states."""
    if status is not None:
        which = msgspec.structs.replace(which, states=(status,))
    values = {name: value for name, value in msgspec.structs.asdict(which).items() if value not in (None, ())}
    clauses = [_FITTING[name] for name in values]
    if which.states and not ENDED & set(which.states):
        clauses.append(_OPEN)
    if which.states:
        values["states"] = list(which.states)
    if after is not None:
        clauses.append(_AFTER[oldest])
        values |= {"started": after[0], "id": after[1]}
    where = f" where {' and '.join(clauses)}" if clauses else ""
    query = f"{_COLUMNS}{where} {_ORDER[oldest]} limit %(most)s"
    rows = await (await connection.execute(query.encode(), {**values, "most": most})).fetchall()
    return await _lines(connection, rows)


async def state(connection: Connection, id: str) -> SagaState | None:
    """A saga as it stands; None where there is none of this id."""
    row = await (await connection.execute(_STATE, (id,))).fetchone()
    return None if row is None else decode(row[0])


async def unended(connection: Connection, after: str, most: int) -> Sequence[SagaState]:
    """Sagas that wait for something, in the order of their ids, after one; those that can be read."""
    rows = await (await connection.execute(_UNENDED, (after, most))).fetchall()
    return [kept.saga for kept in given(rows).values() if kept.saga is not None]


async def shown(connection: Connection, id: str, now: int = 0) -> Shown | None:
    """A saga with its history, orders, and what may be ordered of it `now` (microseconds since 1970, UTC); None where there
    is none of this id."""
    rows = await (await connection.execute(f"{_COLUMNS} where id = %s".encode(), (id,))).fetchall()
    if not rows:
        return None
    (line,) = await _lines(connection, rows)
    kept = _kept(rows)[id]
    definition, problem = None, kept.unreadable
    try:
        definition = await one(connection, line.definition, line.version)
    except UsageError as error:
        problem = problem or error.message
    told = await (await connection.execute(_HISTORY, (id,))).fetchall()
    before = (
        await (await connection.execute(_BEFORE, (id,))).fetchall() if kept.saga is not None and kept.saga.waiting else ()
    )
    return Shown(
        line,
        kept.saga,
        tuple(_event(event) for (event,) in told),
        tuple(await orders_of(connection, saga=id)),
        definition,
        problem,
        tuple(other for (other,) in before),
        () if kept.saga is None else allowed(definition, kept.saga, max(now, kept.saga.changed)),
    )


async def counts(connection: Connection, *, ended: bool | None = None) -> dict[tuple[str, int, str], int]:
    """How many sagas there are, by definition, version and status: of all, of those that have ended, or of those that have
    not. All but the last takes the longer the more there are."""
    query = _COUNTS.format(which=_WHETHER_ENDED[ended])
    rows = await (await connection.execute(query.encode())).fetchall()
    return {(definition, version, status): count for definition, version, status, count in rows}


async def _lines(connection: Connection, rows: Sequence[tuple[object, ...]]) -> list[Line]:
    kept = _kept(rows)
    parked = [row[0] for row in rows if row[3] == "parked"]
    told = await (await connection.execute(_STOOD, (parked,))).fetchall() if parked else []
    stood = _stood(told)
    return [_line(row, kept[str(row[0])], stood.get(str(row[0]))) for row in rows]


def _kept(rows: Sequence[tuple[object, ...]]) -> dict[str, Kept]:
    return given([(str(row[0]), int(str(row[8])), str(row[9])) for row in rows])


def _line(row: Sequence[object], kept: Kept, stood: int | None) -> Line:
    saga, bare = kept.saga, Line(*row[:8])  # type: ignore[arg-type]
    if saga is None:
        return msgspec.structs.replace(bare, stands=bare.changed, cause=kept.unreadable)
    parked = tuple(name for name, each in saga.steps.items() if each.status in PARKED)
    causes = [saga.quarantine] if saga.quarantine else [f"{name}: {saga.steps[name].cause}" for name in parked]
    return msgspec.structs.replace(
        bare,
        stands=stood if stood is not None else bare.changed,
        cause="; ".join(causes) or saga.cause,
        parked=parked,
        resources=saga.resources,
    )


def _stood(rows: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Since when each saga has been parked without a break, at one step or another."""
    parked: dict[str, dict[str | None, int]] = {}
    for saga, text in rows:
        event = _event(text)
        places = parked.setdefault(saga, {})
        if event.type == "SagaParked":
            places.setdefault(event.step, event.time)
        else:
            places.pop(event.step, None)
    return {saga: min(places.values()) for saga, places in parked.items() if places}
