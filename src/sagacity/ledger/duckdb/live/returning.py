"""Coming back: an event for a case in the archive brings the case's records, and with them its events, into the database
again, within the transaction that keeps the event.

With several keys, what comes back is what the arrived events could reach were it hot: the case that they name; and for each
value that is connected with them through events without the first key, the cases and the waiting records that carry it. A
value that no such event carries links nothing, and brings nothing back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sagacity.ledger.duckdb.correlate import KEY
from sagacity.ledger.duckdb.fields import identifier, literal
from sagacity.ledger.duckdb.live.acting import note
from sagacity.ledger.duckdb.live.archive import Archive, Unit, hashed
from sagacity.ledger.duckdb.live.archived import Damage, events_in, records_of
from sagacity.ledger.duckdb.live.keeping import ARRIVED, MATCHED, REDELIVERED, RETURNED, place
from sagacity.ledger.duckdb.live.linking import reach
from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.live.schema import case_table, event_columns, event_table
from sagacity.ledger.duckdb.live.settling import SAGACITY
from sagacity.ledger.duckdb.rows import first_row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["Returning", "catch_up"]

_NAMED = 5


class Returning:
    """Brings back what arrived events concern: a `sagacity.ledger.duckdb.live.keeping.Recall`. `owing` names the workflows
    of which a revision is being read for."""

    def __init__(self, archive: Archive, now: int, owing: frozenset[str]) -> None:
        self._archive = archive
        self._now = now
        self._owing = owing

    def __call__(self, connection: DuckDBPyConnection, revision: Revision) -> bool:
        if not _any_archived(connection):
            return False
        if len(revision.workflow.keys) == 1:
            units = _of_new_cases(connection, revision)
            return bool(units) and self.bring(connection, revision, units)
        found = False
        while units := _of_reached(connection, revision):
            found = True
            self.bring(connection, revision, units)
        return found

    def bring(self, connection: DuckDBPyConnection, revision: Revision, units: Sequence[Unit]) -> bool:
        """Add the events of some units to what has arrived, and their records to those that are hot."""
        files = sorted({unit.file for unit in units})
        paths = dict(
            connection.execute("SELECT file, path FROM archived_file WHERE file IN (SELECT unnest(?))", [files]).fetchall()
        )
        cursor = connection.cursor()
        try:
            records, damages = records_of(cursor, self._archive, paths, units)
            events = events_in(cursor, revision, records)
        finally:
            cursor.close()
        _leave_index(connection, revision, units, owed=revision.workflow.name in self._owing)
        for damage in damages:
            self._note(connection, revision, damage)
        connection.register("records_back", records)
        connection.register("events_back", events)
        _count_as_matched(connection, revision)
        _insert_events(connection, revision)
        _insert_records(connection)
        connection.unregister("records_back")
        connection.unregister("events_back")
        return True

    def _note(self, connection: DuckDBPyConnection, revision: Revision, damage: Damage) -> None:
        more = f" and {len(damage.cases) - _NAMED} more" if len(damage.cases) > _NAMED else ""
        called = ", ".join(damage.cases[:_NAMED]) + more
        what = (
            f"{damage.path} {damage.reason}: archived cases of {revision.workflow.name} could not be brought back, "
            f"and start anew: {called}"
        )
        note(connection, SAGACITY, what, self._now)
        connection.execute(
            "UPDATE archived_file SET damaged = TRUE WHERE ends_with(?, '/' || path)", [damage.path.replace("\\", "/")]
        )


def catch_up(connection: DuckDBPyConnection, archive: Archive, revision: Revision, now: int) -> None:
    """For a revision that has taken over: read for it what came back while it was being read for, and bring back the cases
    of which a record was hot, for another workflow's sake, and so has been read."""
    name = revision.workflow.name
    rows = connection.execute(
        f"""SELECT DISTINCT file, case_id, n FROM owed WHERE workflow = ? AND file IN (SELECT file FROM archived_file)
            UNION SELECT file, case_id, NULL FROM archived WHERE workflow = ?
            AND case_id IN (SELECT case_id FROM {case_table(revision.w)})""",
        [name, name],
    ).fetchall()
    connection.execute("DELETE FROM owed WHERE workflow = ?", [name])
    columns = ", ".join(f"{column} {kind}" for column, kind in event_columns(revision.workflow) if column != "c")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {ARRIVED} (case_id VARCHAR, {columns}, p INTEGER)")
    recall = Returning(archive, now, frozenset())
    if rows:
        recall.bring(connection, revision, [Unit(*row) for row in rows])
    place(connection, revision, recall)


def _any_archived(connection: DuckDBPyConnection) -> bool:
    row = first_row(connection, "SELECT (SELECT count(*) FROM archived) + (SELECT count(*) FROM archived_key)")
    return bool(row and row[0])


def _of_new_cases(connection: DuckDBPyConnection, revision: Revision) -> list[Unit]:
    """The archived ones among the cases in `touched` that are not there."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE wanted AS SELECT {hashed(revision.workflow.name, ["case_id"])} AS hash
            FROM touched WHERE c IS NULL"""
    )
    return _archived_units(connection, revision)


def _archived_units(connection: DuckDBPyConnection, revision: Revision) -> list[Unit]:
    """The cases of the hashes in `wanted`: first by the hash alone, which is narrow, then the rest of the few rows."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE met AS SELECT rowid AS row FROM archived WHERE hash IN (SELECT hash FROM wanted)"
    )
    some = first_row(connection, "SELECT count(*) FROM met")
    if not some or not some[0]:
        return []
    rows = connection.execute(
        "SELECT file, case_id, NULL FROM archived WHERE rowid IN (SELECT row FROM met) AND workflow = ?",
        [revision.workflow.name],
    ).fetchall()
    return [Unit(*row) for row in rows]


def _of_reached(connection: DuckDBPyConnection, revision: Revision) -> list[Unit]:
    """The cases that arrived events name, and what else carries a value that is connected with them."""
    name, keys = revision.workflow.name, revision.workflow.keys
    columns = [identifier(KEY + key) for key in keys]
    events = event_table(revision.w)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE wanted AS SELECT {hashed(name, ["case_id"])} AS hash FROM
            (SELECT DISTINCT {columns[0]} AS case_id FROM {ARRIVED} WHERE {columns[0]} IS NOT NULL)
            WHERE case_id NOT IN (SELECT case_id FROM {case_table(revision.w)})"""
    )
    units = _archived_units(connection, revision)
    reach(connection, events, columns)
    signs = " ".join(
        f"WHEN key = {number} THEN {hashed(name, [literal(key), 'value'])}" for number, key in enumerate(keys[1:])
    )
    linking = " UNION ".join(
        f"""SELECT {number} AS key, {column} AS value FROM {relation} WHERE {columns[0]} IS NULL
            AND {column} IN (SELECT value FROM reached WHERE key = {number})"""
        for relation in (events, ARRIVED)
        for number, column in enumerate(columns[1:])
    )
    rows = connection.execute(
        f"""WITH linking AS ({linking}), sought AS (SELECT CASE {signs} END AS hash, (key, value) IN
                (SELECT (key, value) FROM linking) AS linked FROM reached)
            SELECT DISTINCT k.file, k.case_id, k.n FROM archived_key AS k JOIN sought AS s ON s.hash = k.hash
            WHERE k.loose OR s.linked"""
    ).fetchall()
    return list({*units, *(Unit(*row) for row in rows)})


def _leave_index(connection: DuckDBPyConnection, revision: Revision, units: Sequence[Unit], *, owed: bool) -> None:
    """What comes back is no longer found in the archive."""
    import pyarrow as pa

    name = revision.workflow.name
    table = pa.table(
        {
            "file": pa.array([unit.file for unit in units], pa.int64()),
            "case_id": pa.array([unit.case_id for unit in units], pa.string()),
            "n": pa.array([unit.n for unit in units], pa.int64()),
        }
    )
    connection.register("units_back", table)
    connection.execute("UPDATE archived_file SET thinned = TRUE WHERE NOT thinned AND file IN (SELECT file FROM units_back)")
    if owed:
        connection.execute("INSERT INTO owed SELECT ?, case_id, file, n FROM units_back", [name])
    for table_name, column in (("archived", "case_id"), ("archived_key", "case_id"), ("archived_key", "n")):
        connection.execute(
            f"""DELETE FROM {table_name} AS k USING units_back AS u
                WHERE k.workflow = ? AND k.file = u.file AND k.{column} = u.{column}""",
            [name],
        )
    connection.unregister("units_back")


def _count_as_matched(connection: DuckDBPyConnection, revision: Revision) -> None:
    """Records that waited for a case are told from the others by who reads the account, now that they are hot."""
    connection.execute(
        f"""UPDATE account AS a SET orphan = a.orphan - least(s.n, a.orphan), matched = a.matched + least(s.n, a.orphan)
            FROM (SELECT source, count(DISTINCT n) AS n FROM records_back WHERE case_id IS NULL GROUP BY source) AS s
            WHERE a.w = {revision.w} AND a.source = s.source"""
    )


def _insert_events(connection: DuckDBPyConnection, revision: Revision) -> None:
    """Add the events that came back to what has arrived, but for those of a record that are hot, or belong to a case that
    is still archived: a record may hold events of several cases.

    They count as they did: the first of each identity as accounted for, its copies as redelivered, and what waited for its
    case as new."""
    names = ["case_id", *(name for name, _ in event_columns(revision.workflow) if name != "c"), "p"]
    counted = f"""CASE WHEN o.case_id IS NULL THEN {MATCHED} WHEN b.id IS NOT NULL AND row_number() OVER
        (PARTITION BY o.case_id, b.type, b.other, b.id ORDER BY b.record) > 1 THEN {REDELIVERED} ELSE {RETURNED} END"""
    listed = ", ".join(f"b.{name}" if name != "counted" else f"CAST({counted} AS UTINYINT) AS counted" for name in names)
    several = len(revision.workflow.keys) > 1
    case = identifier(KEY + revision.workflow.keys[0]) if several else "case_id"
    sign = hashed(revision.workflow.name, [f"b.{case}"])
    connection.execute(
        f"""INSERT INTO {ARRIVED} BY NAME SELECT {listed} FROM events_back AS b
            JOIN (SELECT n, max(case_id) AS case_id FROM records_back GROUP BY n) AS o ON o.n = b.record
            WHERE (b.record, b.type) NOT IN (SELECT (record, type) FROM {ARRIVED})
            AND NOT EXISTS (SELECT 1 FROM {event_table(revision.w)} AS e WHERE e.record = b.record AND e.type = b.type)
            AND (b.{case} IS NULL OR NOT EXISTS (SELECT 1 FROM archived AS a
                WHERE a.hash = {sign} AND a.workflow = ? AND a.case_id = b.{case}))""",
        [revision.workflow.name],
    )


def _insert_records(connection: DuckDBPyConnection) -> None:
    """Put records back where they are not hot for another case's sake. Those in which nothing is read any more, since the
    workflow has changed, are looked at again."""
    connection.execute(
        """INSERT INTO record SELECT DISTINCT ON (b.n) b.n, p.p, b.position, b.arrived, b.body, b.correlation, b.trace
           FROM records_back AS b JOIN part AS p ON p.source = b.source AND p.part = b.part
           WHERE NOT EXISTS (SELECT 1 FROM record AS r WHERE r.n = b.n)"""
    )
    unread = first_row(connection, f"SELECT min(n) FROM records_back WHERE n NOT IN (SELECT record FROM {ARRIVED})")
    if unread and unread[0] is not None:
        connection.execute(f"UPDATE archive SET swept = least(swept, {int(unread[0]) - 1})")
