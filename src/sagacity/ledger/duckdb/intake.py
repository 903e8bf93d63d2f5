"""Taking sources in: the relation `events` of `sagacity.plan.columns`, and the account of every raw record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import msgspec

from sagacity.errors import RejectedError, UsageError
from sagacity.ledger.duckdb.accounts import Counts
from sagacity.ledger.duckdb.connection import watched
from sagacity.ledger.duckdb.correlate import KEY, correlate
from sagacity.ledger.duckdb.failures import judging
from sagacity.ledger.duckdb.fields import identifier, literal
from sagacity.ledger.duckdb.normalise import BAD, column
from sagacity.ledger.duckdb.readings import define
from sagacity.ledger.duckdb.rejected import first_rejected
from sagacity.ledger.duckdb.scan import parts_of
from sagacity.ledger.duckdb.shapes import Shape, shape_of
from sagacity.ledger.duckdb.staging import Taken, row_of, take_part
from sagacity.ledger.port import Account, Intake, Progress, Rejected
from sagacity.plan.columns import attribute_columns
from sagacity.sources.inputs import Input
from sagacity.workflow.model import Workflow

__all__ = ["EVENTS", "take_in"]

EVENTS = "events"
_LINKED = "events before their cases"
_CASED = "events with their cases"
_SHOWN = 20
_LISTED = 10
_UNMATCHED_TYPES = 20


def take_in(
    connection: duckdb.DuckDBPyConnection,
    workflow: Workflow,
    inputs: Mapping[str, Input],
    *,
    as_of: int | None,
    now: int,
    max_rejected: int | None = 0,
    progress: Progress | None = None,
) -> Intake:
    """Make the relation `events` of the connection, with the events up to as-of, and account for every raw record.

    `as_of` None stands for the latest event time that is not after `now`. More than `max_rejected` records that cannot be
    read stop the intake; None lets any number pass. Times are microseconds since 1970 UTC. Tables and data frames are
    read in place, and must not change as long as the connection is used.

    Raises UsageError where the inputs are not the workflow's sources, SourceError for what cannot be read at all,
    RejectedError for too many records that cannot be, LedgerError.
    """
    names = _sources(workflow, inputs)
    cutoff = now if as_of is None else as_of
    define(connection)
    taken: dict[str, list[Taken]] = {}
    shapes: dict[str, Shape] = {}
    for number, name in enumerate(names):
        shapes[name] = shape_of(workflow, name)
        with watched(connection, progress, f"reading {name}", number / len(names), (number + 1) / len(names)):
            taken[name] = _take_source(connection, shapes[name], inputs[name], cutoff)
    rejected = _rejected(connection, [each for parts in taken.values() for each in parts], max_rejected)
    counts = {name: _sum(each.counts for each in parts) for name, parts in taken.items()}
    if as_of is None:
        as_of = max((each.latest for each in counts.values() if each.latest is not None), default=now)
    with judging():
        if len(workflow.keys) == 1:
            _view(connection, workflow, taken, as_of)
        else:
            counts = _linked(connection, workflow, taken, as_of, counts)
        unmatched = _unmatched_types(connection, taken)
    accounts = tuple(_account(name, inputs[name].given or name, each) for name, each in counts.items())
    return Intake(as_of, accounts, rejected, unmatched)


def _sources(workflow: Workflow, inputs: Mapping[str, Input]) -> list[str]:
    named = dict.fromkeys([*workflow.sources, *(each.source for each in workflow.events.values())])
    if missing := [name for name in named if name not in inputs]:
        given = " ".join(f"--source {name}=..." for name in missing)
        noun = "source is" if len(missing) == 1 else "sources are"
        raise UsageError(
            f"{len(missing)} {noun} named in the workflow and not given: {', '.join(missing)}", hint=f"add {given}"
        )
    if strange := [name for name in inputs if name not in named]:
        raise UsageError(
            f"the workflow names no source {', '.join(repr(name) for name in strange)}",
            hint=f"it names {', '.join(named) or 'none'}",
        )
    return list(named)


def _take_source(connection: duckdb.DuckDBPyConnection, shape: Shape, given: Input, cutoff: int) -> list[Taken]:
    numbered = shape.by_row() or (shape.type is None and len(shape.keys) > 1)
    taken: list[Taken] = []
    first_row = 0
    for number, part in enumerate(parts_of(connection, shape.source, given, shape.paths(), numbered=numbered)):
        table = f"taken {shape.source} {number}"
        taken.append(take_part(connection, shape, part, table=table, first_row=first_row, cutoff=cutoff))
        first_row += taken[-1].counts.records
    return taken


def _rejected(connection: duckdb.DuckDBPyConnection, taken: Sequence[Taken], most: int | None) -> tuple[Rejected, ...]:
    total = sum(each.counts.rejected for each in taken)
    found: list[Rejected] = []
    for each in taken:
        if each.counts.rejected and len(found) < _SHOWN:
            found += first_rejected(connection, each, _SHOWN - len(found))
    if most is not None and total > most:
        records = "1 record cannot" if total == 1 else f"{total:,} records cannot"
        first = f", the first {_LISTED} are" if total > _LISTED else ""
        raise RejectedError(
            f"{records} be read{first}:",
            [str(each) for each in found[:_LISTED]],
            hint=f"mend them, or go on without them: --max-rejected {total}, or --lenient for any number",
        )
    return tuple(found)


def _view(connection: duckdb.DuckDBPyConnection, workflow: Workflow, taken: Mapping[str, list[Taken]], as_of: int) -> None:
    key = workflow.keys[0]
    selects = [
        _select(workflow, each, slot, [f"{column(slot, f'key.{key}')} AS case_id"], as_of, f"key.{key}")
        for parts in taken.values()
        for each in parts
        for slot in range(len(each.normal.shape.slots()))
    ]
    query = " UNION ALL ".join(selects) or _nothing(workflow)
    _drop_events(connection)
    connection.execute(f"CREATE TEMP VIEW {EVENTS} AS {query}")


def _drop_events(connection: duckdb.DuckDBPyConnection) -> None:
    kind = connection.execute(
        "SELECT table_type FROM information_schema.tables WHERE table_name = ? AND table_schema = 'main'", [EVENTS]
    ).fetchall()
    for (each,) in kind:
        connection.execute(f"DROP {'VIEW' if each == 'VIEW' else 'TABLE'} IF EXISTS {EVENTS}")


def _select(
    workflow: Workflow, taken: Taken, slot: int, keys: Sequence[str], as_of: int, key: str | None, extra: Sequence[str] = ()
) -> str:
    """The events of one slot. Conditions that are known to hold for all of them are left out."""
    counts, shape = taken.counts, taken.normal.shape
    recipes = shape.slots()[slot]
    held = {attribute.column.name for recipe in recipes for attribute in recipe.attributes}
    attributes = [
        f"CAST({column(slot, each.name)} AS {each.sql_type}) AS {identifier(each.name)}"
        if each.name in held
        else f"CAST(NULL AS {each.sql_type}) AS {identifier(each.name)}"
        for each in attribute_columns(workflow)
    ]
    columns = [
        *keys,
        f"CAST({column(slot, 'type')} AS SMALLINT) AS type",
        f"CAST({column(slot, 'other')} AS VARCHAR) AS other",
        f"{column(slot, 'time')} AS time",
        f"CAST({_seq(taken, slot)} AS BIGINT) AS seq",
        f"{column(slot, 'id')} AS id",
        *attributes,
        *extra,
    ]
    conditions = []
    if counts.unmatched or counts.rejected or len(shape.slots()) > 1:
        conditions.append(f"{column(slot, 'type')} IS NOT NULL")
    if counts.rejected:
        conditions.append(f"NOT {BAD}")
    if counts.beyond or len(shape.slots()) > 1:
        conditions.append(f"{column(slot, 'time')} <= {as_of}")
    if key is not None and (counts.orphan or len(shape.slots()) > 1):
        conditions.append(f"{column(slot, key)} IS NOT NULL")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(columns)} FROM {taken.relation}{where}"


def _seq(taken: Taken, slot: int) -> str:
    recipes = taken.normal.shape.slots()[slot]
    by_row = [str(recipe.number) for recipe in recipes if recipe.by_row]
    stated = f"coalesce({column(slot, 'seq')}, 0)" if any(recipe.seq for recipe in recipes) else "0"
    if not by_row:
        return stated
    if len(by_row) == len(recipes):
        return row_of(taken)
    return f"CASE WHEN {column(slot, 'type')} IN ({', '.join(by_row)}) THEN {row_of(taken)} ELSE {stated} END"


def _nothing(workflow: Workflow) -> str:
    fixed = {
        "case_id": "VARCHAR",
        "type": "SMALLINT",
        "other": "VARCHAR",
        "time": "BIGINT",
        "seq": "BIGINT",
        "id": "VARCHAR",
    }
    columns = fixed | {each.name: each.sql_type for each in attribute_columns(workflow)}
    return f"SELECT {', '.join(f'CAST(NULL AS {kind}) AS {identifier(name)}' for name, kind in columns.items())} WHERE FALSE"


def _linked(
    connection: duckdb.DuckDBPyConnection,
    workflow: Workflow,
    taken: Mapping[str, list[Taken]],
    as_of: int,
    counts: Mapping[str, Counts],
) -> dict[str, Counts]:
    """The events with their cases found by several keys, and the counts with orphans told apart."""
    selects = []
    for name, parts in taken.items():
        for place, each in enumerate(parts):
            for slot in range(len(each.normal.shape.slots())):
                keys = [f"{column(slot, f'key.{key}')} AS {identifier(KEY + key)}" for key in workflow.keys]
                wide = each.normal.shape.type is None
                record = f"{row_of(each)}" if wide else "NULL::BIGINT"
                extra = [f'{literal(name)} AS "$source"', f'{record} AS "$record"', f'{place} AS "$part"']
                selects.append(_select(workflow, each, slot, keys, as_of, None, extra))
    empty = [f"CAST(NULL AS VARCHAR) AS {identifier(KEY + key)}" for key in workflow.keys]
    none = f"""SELECT {", ".join(empty)}, * EXCLUDE (case_id), '' AS "$source", 0::BIGINT AS "$record", 0 AS "$part"
        FROM ({_nothing(workflow)})"""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(_LINKED)} AS {' UNION ALL '.join(selects) or none}")
    cased = correlate(connection, _LINKED, workflow.keys)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(_CASED)} AS {cased}")
    connection.execute(f"DROP TABLE {identifier(_LINKED)}")
    columns = [
        "case_id",
        "type",
        "other",
        "time",
        "seq",
        "id",
        *(identifier(each.name) for each in attribute_columns(workflow)),
    ]
    _drop_events(connection)
    connection.execute(
        f"CREATE TEMP VIEW {EVENTS} AS SELECT {', '.join(columns)} FROM {identifier(_CASED)} WHERE case_id IS NOT NULL"
    )
    return {name: _with_orphans(connection, name, parts, counts[name]) for name, parts in taken.items()}


def _with_orphans(connection: duckdb.DuckDBPyConnection, name: str, parts: Sequence[Taken], counts: Counts) -> Counts:
    rows = f'FROM {identifier(_CASED)} WHERE "$source" = {literal(name)}'
    found = connection.execute(
        f"SELECT count(*) FILTER (case_id IS NULL), count(case_id), min(time) FILTER (case_id IS NOT NULL), "
        f"max(time) FILTER (case_id IS NOT NULL) {rows}"
    ).fetchone()
    lost, events, first, last = found or (0, 0, None, None)
    if lost and parts and parts[0].normal.shape.type is None:
        whole = connection.execute(
            f'SELECT count(*) FROM (SELECT "$part", "$record" {rows} GROUP BY ALL HAVING count(case_id) = 0)'
        ).fetchone()
        lost = whole[0] if whole else 0
    return msgspec.structs.replace(
        counts, matched=counts.matched - lost, orphan=counts.orphan + lost, events=events, first=first, last=last
    )


def _unmatched_types(connection: duckdb.DuckDBPyConnection, taken: Mapping[str, list[Taken]]) -> tuple[tuple[str, int], ...]:
    relations = [
        f"""SELECT "$type" AS type FROM {each.relation} WHERE {column(0, "type")} IS NULL AND NOT {BAD}"""
        for parts in taken.values()
        for each in parts
        if each.counts.unmatched and each.normal.shape.type is not None
    ]
    if not relations:
        return ()
    found = connection.execute(
        f"SELECT type, count(*) AS n FROM ({' UNION ALL '.join(relations)}) WHERE type IS NOT NULL "
        f"GROUP BY type ORDER BY n DESC, type LIMIT {_UNMATCHED_TYPES}"
    ).fetchall()
    return tuple((str(name), int(number)) for name, number in found)


def _account(name: str, given: str, counts: Counts) -> Account:
    return Account(
        source=name,
        given=given,
        records=counts.records,
        matched=counts.matched,
        unmatched=counts.unmatched,
        orphan=counts.orphan,
        rejected=counts.rejected,
        beyond=counts.beyond,
        events=counts.events,
        first=counts.first,
        last=counts.last,
    )


def _sum(counts: object) -> Counts:
    total = Counts()
    for each in counts:  # type: ignore[attr-defined]
        total = total.plus(each)
    return total
