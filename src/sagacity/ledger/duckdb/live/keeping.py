"""What has arrived, kept as events of a revision: each with its case, and each record accounted for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from sagacity.ledger.duckdb.correlate import KEY
from sagacity.ledger.duckdb.fields import identifier, literal
from sagacity.ledger.duckdb.live.arrivals import INCOMING
from sagacity.ledger.duckdb.live.linking import link
from sagacity.ledger.duckdb.live.numbering import number_new
from sagacity.ledger.duckdb.live.reasons import keep_reasons
from sagacity.ledger.duckdb.live.revision import Revision, taken_table
from sagacity.ledger.duckdb.live.schema import case_table, event_columns, event_table, touched_table
from sagacity.ledger.duckdb.live.statements import parsed
from sagacity.ledger.duckdb.normalise import BAD, column
from sagacity.ledger.duckdb.shapes import Recipe
from sagacity.plan.columns import attribute_columns
from sagacity.workflow.trace import FOREVER

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = [
    "ARRIVED", "LATE", "MATCHED", "REDELIVERED", "RETURNED", "Kept", "Recall", "events_of_slot", "keep", "place", "slots_of",
]  # fmt: skip

ARRIVED = "arrived"
"""The events of a batch: the columns of `event_columns` with `case_id` in place of `c`, and `p`."""

MATCHED, LATE, REDELIVERED, RETURNED = 0, 1, 2, 3
"""How an event's record has been accounted for: the column `counted`. What came back from the archive was before it went."""

Recall: TypeAlias = "Callable[[DuckDBPyConnection, Revision], bool]"
"""Adds to what has arrived the events of the archived cases that it concerns; whether there were any."""


class Kept(msgspec.Struct, frozen=True):
    """How many of the records could not be read, and the latest event time of each part, by its number. What lies in the
    future tells nothing of how far a source has been heard."""

    rejected: dict[int, int]
    latest: dict[int, int]


def keep(
    connection: DuckDBPyConnection, revision: Revision, as_of: int | None, now: int, recall: Recall | None = None
) -> Kept:
    """Keep what is `incoming` for one revision; as-of is the instant up to which cases have been judged. Runs within a
    transaction."""
    found = {name for (name,) in connection.execute(f"SELECT DISTINCT source FROM {INCOMING}").fetchall()}
    sources = [name for name in revision.normals if name in found]
    judged = -FOREVER if as_of is None else as_of
    rejected: dict[int, int] = {}
    for source in sources:
        table = taken_table(revision.w, source)
        connection.execute(parsed(f"CREATE OR REPLACE TEMP TABLE {table} AS {revision.normals[source].sql}"))
        _account(connection, revision, source, judged)
        bad = connection.execute(f"SELECT p, count(*) FROM {table} WHERE {BAD} GROUP BY p").fetchall()
        if bad:
            rejected |= bad
            keep_reasons(connection, revision, source, now)
    selects = [
        events_of_slot(revision, source, slot, taken_table(revision.w, source), judged)
        for source in sources
        for slot in slots_of(revision, source)
    ]
    if not selects:
        return Kept(rejected, {})
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {ARRIVED} AS {' UNION ALL '.join(selects)}")
    latest = dict(connection.execute(f"SELECT p, max(time) FROM {ARRIVED} WHERE time <= {now} GROUP BY p").fetchall())
    place(connection, revision, recall)
    for source in sources:
        connection.execute(f"DROP TABLE {taken_table(revision.w, source)}")
    return Kept(rejected, latest)


def slots_of(revision: Revision, source: str) -> range:
    return range(len(revision.shapes[source].slots()))


def _account(connection: DuckDBPyConnection, revision: Revision, source: str, judged: int) -> None:
    """Add to the account what became of each record. With several keys an event's case may come later: such a record
    counts as matched, and who reads the account tells orphans apart."""
    shape = revision.shapes[source]
    typed = [f"{column(slot, 'type')} IS NOT NULL" for slot in slots_of(revision, source)]
    held, late = [], []
    for slot in slots_of(revision, source):
        held.append(f"({typed[slot]} AND {_keyed(slot, shape.keys)})")
        late.append(f"({held[-1]} AND {column(slot, 'time')} <= {judged})")
    status = f"""CASE WHEN {BAD} THEN 'rejected' WHEN NOT ({_any(typed)}) THEN 'unmatched'
        WHEN NOT ({_any(held)}) THEN 'orphan' WHEN {_any(late)} THEN 'late' ELSE 'matched' END"""
    counted = connection.execute(
        f"SELECT {status} AS status, count(*) FROM {taken_table(revision.w, source)} GROUP BY ALL"
    ).fetchall()
    sums = ", ".join(f"{name} = {name} + {n}" for name, n in counted)
    if counted:
        total = sum(n for _, n in counted)
        connection.execute(
            f"UPDATE account SET records = records + {total}, {sums} WHERE w = {revision.w} AND source = {literal(source)}"
        )


def _keyed(slot: int, keys: Sequence[str]) -> str:
    """SQL of whether a slot's event carries any key: one that carries none never has a case, and is not kept."""
    return f"({_any([f'{column(slot, key)} IS NOT NULL' for key in (f'key.{name}' for name in keys)])})"


def _any(conditions: list[str]) -> str:
    return " OR ".join(conditions) or "FALSE"


def events_of_slot(revision: Revision, source: str, slot: int, relation: str, judged: int | None) -> str:
    """SQL of the events of one slot of a source's records, normalised, with the columns of `ARRIVED`. `judged` is the
    instant up to which cases have been judged; None: they have been accounted for."""
    workflow, shape = revision.workflow, revision.shapes[source]
    recipes = shape.slots()[slot]
    held = {attribute.column.name for recipe in recipes for attribute in recipe.attributes}
    attributes = [
        f"CAST({column(slot, each.name) if each.name in held else 'NULL'} AS {each.sql_type}) AS {identifier(each.name)}"
        for each in attribute_columns(workflow)
    ]
    several = len(workflow.keys) > 1
    keys = [f"{column(slot, f'key.{key}')} AS {identifier(KEY + key)}" for key in workflow.keys] if several else []
    first_key = "CAST(NULL AS VARCHAR)" if several else column(slot, f"key.{workflow.keys[0]}")
    time = column(slot, "time")
    counted = RETURNED if judged is None else f"CASE WHEN {time} <= {judged} THEN {LATE} ELSE {MATCHED} END"
    columns = [
        f"{first_key} AS case_id",
        f"CAST({column(slot, 'type')} AS SMALLINT) AS type",
        f"CAST({column(slot, 'other')} AS VARCHAR) AS other",
        f"{time} AS time",
        f"CAST({_seq(recipes, slot)} AS BIGINT) AS seq",
        f"{column(slot, 'id')} AS id",
        *attributes,
        "n AS record",
        f"CAST({counted} AS UTINYINT) AS counted",
        *keys,
        "p",
    ]
    where = f"{column(slot, 'type')} IS NOT NULL AND NOT {BAD} AND {_keyed(slot, shape.keys)}"
    return f"SELECT {', '.join(columns)} FROM {relation} WHERE {where}"


def _seq(recipes: tuple[Recipe, ...], slot: int) -> str:
    """The intrinsic position; `row` is the record's place in its part."""
    by_row = [str(recipe.number) for recipe in recipes if recipe.by_row]
    stated = f"coalesce({column(slot, 'seq')}, 0)" if any(recipe.seq for recipe in recipes) else "0"
    if not by_row:
        return stated
    return f"""CASE WHEN {column(slot, "type")} IN ({", ".join(by_row)}) THEN "$row" ELSE {stated} END"""


def place(connection: DuckDBPyConnection, revision: Revision, recall: Recall | None = None) -> None:
    """Put the arrived events into their cases, new ones included, which are then due."""
    events, cases = event_table(revision.w), case_table(revision.w)
    names = [name for name, _ in event_columns(revision.workflow)]
    if len(revision.workflow.keys) > 1:
        if recall is not None:
            recall(connection, revision)
        link(connection, revision)
        return
    _touch(connection, cases)
    if recall is not None and recall(connection, revision):
        _touch(connection, cases)
    number_new(connection, cases)
    listed = ", ".join(f"a.{name}" for name in names if name != "c")
    connection.execute(
        f"INSERT INTO {events} SELECT t.c, {listed} FROM {ARRIVED} AS a JOIN touched AS t ON t.case_id = a.case_id"
    )
    connection.execute(f"INSERT INTO {touched_table(revision.w)} SELECT c, first FROM touched")


def _touch(connection: DuckDBPyConnection, cases: str) -> None:
    """Make `touched`, the cases of what has arrived; `c` is NULL where one is not there yet."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE touched AS SELECT b.case_id, k.c, b.n, b.first, b.last FROM
            (SELECT case_id, count(*) AS n, min(time) AS first, max(time) AS last FROM {ARRIVED} GROUP BY case_id) AS b
            LEFT JOIN {cases} AS k ON k.case_id = b.case_id"""
    )
