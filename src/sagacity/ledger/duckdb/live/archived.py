"""What is in the archive: cases, as they stood when they went, and their records and events, read from the files.

The files are read on a connection of their own: a file that cannot be read then costs the caller its answer, and not its
transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from sagacity.errors import LedgerError, SourceError
from sagacity.ledger.duckdb.correlate import KEY
from sagacity.ledger.duckdb.failures import reading
from sagacity.ledger.duckdb.fields import identifier
from sagacity.ledger.duckdb.live.archive import CARRIED, Archive, Unit, hashed
from sagacity.ledger.duckdb.live.arrivals import INCOMING
from sagacity.ledger.duckdb.live.keeping import events_of_slot, slots_of
from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.readings import define
from sagacity.ledger.duckdb.rows import EventReader, first_row
from sagacity.ledger.live import CaseFilter, StoredEvent
from sagacity.workflow.trace import FOREVER

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["ARCHIVED_CASE", "Damage", "archived_cases", "archived_counts", "archived_events", "events_in", "records_of"]

ARCHIVED_CASE = f"""case_id, status, ended, events, findings, first, last, as_of, {FOREVER} AS due,
    CAST(NULL AS VARCHAR) AS behind, TRUE AS archived"""
_SCHEMA = pa.schema(
    [
        ("case_id", pa.string()),
        ("n", pa.int64()),
        ("source", pa.string()),
        ("part", pa.string()),
        ("position", pa.int64()),
        ("arrived", pa.int64()),
        ("body", pa.string()),
        ("correlation", pa.string()),
        ("trace", pa.string()),
    ]
)


class Damage(msgspec.Struct, frozen=True):
    """Cases that could not be read from a file, and why."""

    path: str
    reason: str
    cases: tuple[str, ...]


def archived_cases(revision: Revision, which: CaseFilter) -> tuple[str, list[object]]:
    """SQL of the archived cases that pass a filter, as `ARCHIVED_CASE`. Its text is looked for as a case id and as a value
    of another key."""
    name = revision.workflow.name
    conditions, parameters = ["workflow = ?"], list[object]([name])
    if which.status is not None:
        conditions.append("status = ?")
        parameters.append(which.status.value)
    if which.text:
        found = [f"(hash = {hashed(name, ['?'])} AND case_id = ?)"]
        parameters += [which.text, which.text]
        if others := revision.workflow.keys[1:]:
            marks = ", ".join(hashed(name, ["?", "?"]) for _ in others)
            found.append(f"case_id IN (SELECT case_id FROM archived_key WHERE workflow = ? AND hash IN ({marks}))")
            parameters += [name, *(each for key in others for each in (key, which.text))]
        conditions.append(f"({' OR '.join(found)})")
    return f"SELECT {ARCHIVED_CASE} FROM archived WHERE {' AND '.join(conditions)}", parameters


def archived_counts(connection: DuckDBPyConnection, workflow: str) -> tuple[dict[str, int], dict[str, int]]:
    """How many archived cases of each status there are, and events of each type in them."""
    statuses = connection.execute(
        "SELECT status, count(*) FROM archived WHERE workflow = ? GROUP BY status", [workflow]
    ).fetchall()
    events: dict[str, int] = {}
    if statuses:
        rows = connection.execute(
            "SELECT types, count(*) FROM archived WHERE workflow = ? GROUP BY types", [workflow]
        ).fetchall()
        for types, cases in rows:
            for each in (types or "").split("\x1e"):
                name, _, n = each.rpartition("\x1f")
                events[name] = events.get(name, 0) + cases * int(n or 0)
    return dict(statuses), events


def archived_events(
    connection: DuckDBPyConnection, archive: Archive, revision: Revision, case: str
) -> list[StoredEvent] | None:
    """The events of an archived case, as the workflow reads its records now; None where it is not archived. Raises
    LedgerError where the file cannot be read."""
    name = revision.workflow.name
    row = first_row(
        connection,
        f"""SELECT a.file, f.path FROM archived AS a JOIN archived_file AS f ON f.file = a.file
            WHERE a.hash = {hashed(name, ["?"])} AND a.workflow = ? AND a.case_id = ?""",
        [case, name, case],
    )
    if row is None:
        return None
    file, path = row
    cursor = connection.cursor()
    try:
        records, damages = records_of(cursor, archive, {file: path}, [Unit(file, case, None)])
        for damage in damages:
            raise LedgerError(
                f"the archived case {case} cannot be read: {damage.path}: {damage.reason}",
                hint="put the file back from a backup",
            )
        events = events_in(cursor, revision, records)
        cursor.register("events_read", events)
        cursor.register("records_read", records)
        reader = EventReader(revision.workflow)
        several = len(revision.workflow.keys) > 1
        primary = f"e.{identifier(KEY + revision.workflow.keys[0])}" if several else "e.case_id"
        loose = f" OR {primary} IS NULL" if several else ""
        rows = cursor.execute(
            f"""SELECT r.source, r.part, r.position, r.arrived, r.body, r.correlation, r.trace, {reader.columns("e")}
                FROM events_read AS e JOIN records_read AS r ON r.n = e.record
                WHERE {primary} = ?{loose} ORDER BY e.time, e.seq, e.type, e.id, e.record""",
            [case],
        ).fetchall()
    finally:
        cursor.close()
    return [
        StoredEvent(
            event=reader.event(values),
            source=source,
            part=part,
            position=position,
            arrived=arrived,
            record=body,
            correlation=correlation,
            trace=trace,
        )
        for source, part, position, arrived, body, correlation, trace, *values in rows
    ]


def records_of(
    cursor: DuckDBPyConnection, archive: Archive, paths: dict[int, str], units: Sequence[Unit]
) -> tuple[pa.Table, list[Damage]]:
    """The records of some units, each once, as `CARRIED`, and what could not be read. `paths` has the files."""
    try:
        records = _read(cursor, archive, paths, units)
    except SourceError:
        records = _SCHEMA.empty_table()
        damages = []
        for file, path in paths.items():
            of_file = [unit for unit in units if unit.file == file]
            try:
                records = pa.concat_tables([records, _read(cursor, archive, {file: path}, of_file)])
            except SourceError as error:
                damages.append(Damage(str(archive.folder / path), error.message.partition(": ")[2], _called(of_file)))
        return records, damages
    cases, numbers = set(records["case_id"].to_pylist()), set(records["n"].to_pylist())
    lost: dict[int, list[Unit]] = {}
    for unit in units:
        if unit.n not in numbers if unit.case_id is None else unit.case_id not in cases:
            lost.setdefault(unit.file, []).append(unit)
    return records, [
        Damage(str(archive.folder / paths[file]), "does not hold what was put there", _called(units))
        for file, units in lost.items()
    ]


def _called(units: Sequence[Unit]) -> tuple[str, ...]:
    return tuple(f"record {unit.n}" if unit.case_id is None else unit.case_id for unit in units)


def _read(cursor: DuckDBPyConnection, archive: Archive, paths: dict[int, str], units: Sequence[Unit]) -> pa.Table:
    """Raises SourceError where a file cannot be read."""
    places = {file: str(archive.folder / path) for file, path in paths.items()}
    for kind in ("case_id", "n"):
        of_kind = [unit for unit in units if getattr(unit, kind) is not None]
        table = {
            "filename": pa.array([places[unit.file] for unit in of_kind], pa.string()),
            kind: pa.array([getattr(unit, kind) for unit in of_kind], pa.string() if kind == "case_id" else pa.int64()),
        }
        cursor.register(f"wanted_{kind}", pa.table(table))
    carried = ", ".join(f"q.{name}" for name in CARRIED)
    files = "read_parquet(?, filename = true, hive_partitioning = false)"
    shown = next(iter(places.values())) if len(places) == 1 else f"{len(places)} files of the archive"
    selects, parameters = [], []
    for kind in ("case_id", "n"):
        if any(getattr(unit, kind) is not None for unit in units):
            apart = "" if kind == "case_id" else "q.case_id IS NULL AND "
            selects.append(
                f"""SELECT {carried} FROM {files} AS q JOIN wanted_{kind} AS w
                    ON q.filename = w.filename AND {apart}q.{kind} = w.{kind}"""
            )
            parameters.append(list(places.values()))
    with reading(shown):
        return cursor.sql(" UNION ALL ".join(selects), params=parameters).to_arrow_table().cast(_SCHEMA)


def events_in(cursor: DuckDBPyConnection, revision: Revision, records: pa.Table) -> pa.Table:
    """The events that a revision reads in records, with the columns of `keeping.ARRIVED`; a record that stands there
    several times, for several cases, is read once."""
    cursor.execute("SET TimeZone = 'UTC'")
    define(cursor)
    cursor.register("kept_records", records)
    incoming = cursor.sql(
        """SELECT DISTINCT ON (n) n, CAST(0 AS INTEGER) AS p, source, position, body, CAST(NULL AS VARCHAR) AS shown
           FROM kept_records"""
    ).to_arrow_table()
    cursor.register(INCOMING, incoming)
    selects = [
        events_of_slot(revision, source, slot, f"({revision.normals[source].sql})", None)
        for source in revision.normals
        for slot in slots_of(revision, source)
    ]
    return cursor.sql(" UNION ALL ".join(selects)).to_arrow_table()
