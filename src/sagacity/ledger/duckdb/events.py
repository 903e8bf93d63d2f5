"""The relation `events`: what of the normal relations is judged, and to which case each event belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import duckdb
import msgspec

from sagacity.ledger.duckdb.accounts import Counts
from sagacity.ledger.duckdb.correlate import KEY, correlate
from sagacity.ledger.duckdb.fields import identifier, literal
from sagacity.ledger.duckdb.normalise import BAD, column
from sagacity.ledger.duckdb.staging import Taken, row_of
from sagacity.plan.columns import attribute_columns
from sagacity.workflow.model import Workflow

__all__ = ["EVENTS", "by_links", "by_one_key", "unmatched_types"]

EVENTS = "events"
_LINKED = "events before their cases"
_CASED = "events with their cases"
_UNMATCHED_TYPES = 20


def by_one_key(
    connection: duckdb.DuckDBPyConnection, workflow: Workflow, taken: Mapping[str, list[Taken]], as_of: int
) -> None:
    """Make the view where a workflow has one key, which names the case."""
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
    for kind in ("VIEW", "TABLE"):
        with suppress(duckdb.CatalogException):  # it is the other; looking which would take longer
            connection.execute(f"DROP {kind} IF EXISTS {EVENTS}")


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


def by_links(
    connection: duckdb.DuckDBPyConnection,
    workflow: Workflow,
    taken: Mapping[str, list[Taken]],
    as_of: int,
    counts: Mapping[str, Counts],
) -> dict[str, Counts]:
    """Make the view where several keys name a case. The counts come back with orphans told apart."""
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


def unmatched_types(connection: duckdb.DuckDBPyConnection, taken: Mapping[str, list[Taken]]) -> tuple[tuple[str, int], ...]:
    """The types that the workflow does not name, with how many records are of each, most frequent first, at most 20."""
    relations = []
    for each in (each for parts in taken.values() for each in parts):
        if each.counts.unmatched and each.normal.shape.type is not None:
            sound = f" AND NOT {BAD}" if each.normal.part.malformed else ""
            relations.append(f'SELECT "$type" AS type FROM {each.relation} WHERE {column(0, "type")} IS NULL{sound}')
    if not relations:
        return ()
    found = connection.execute(
        f"SELECT type, count(*) AS n FROM ({' UNION ALL '.join(relations)}) WHERE type IS NOT NULL "
        f"GROUP BY type ORDER BY n DESC, type LIMIT {_UNMATCHED_TYPES}"
    ).fetchall()
    return tuple((str(name), int(number)) for name, number in found)
