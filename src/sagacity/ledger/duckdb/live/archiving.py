"""Who goes to the archive, and how: records into a file, then everything out of the database, and into it what finds them.

A case goes when it has ended, nothing is pending, and its last event, its end and its latest verdict lie long enough before
as-of. With several keys, so does a record that has waited as long for what would link it to a case. Few go in a step, and
not before there are many or the first has waited a little longer, so that files are neither many nor large.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sagacity.ledger.duckdb.correlate import KEY
from sagacity.ledger.duckdb.fields import identifier, literal
from sagacity.ledger.duckdb.live.archive import CARRIED, Archive, hashed
from sagacity.ledger.duckdb.live.keeping import REDELIVERED
from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.live.schema import case_table, event_table, touched_table
from sagacity.ledger.duckdb.rows import first_row
from sagacity.workflow.trace import FOREVER

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["archive_cases", "give_up_records", "store", "waited"]

_MOST_CASES = 10_000
_MOST_EVENTS = 50_000
_LONGEST_WAIT = 3_600_000_000
_LONGEST_STRAY = 200
_HELD_IN = {"case_id": "l", "source": "p", "part": "p"}


def waited(after: int) -> int:
    """How much longer than it must the first of a step waits for others: a tenth of the time, an hour at the most."""
    return min(after // 10, _LONGEST_WAIT)


def archive_cases(
    connection: DuckDBPyConnection, archive: Archive, revision: Revision, revisions: Iterable[Revision], as_of: int, now: int
) -> tuple[int, bool]:
    """Archive some cases of a revision; how many, and whether there may be more. Runs within a transaction."""
    assert archive.after is not None
    limit = as_of - archive.after
    full = _choose_cases(connection, revision, limit)
    several = len(revision.workflow.keys) > 1
    if several:
        full = _choose_waiting(connection, revision, limit, now - archive.after) or full
    oldest = first_row(
        connection,
        f"SELECT min(settled), count(*) FROM (SELECT settled FROM going{' UNION ALL SELECT last FROM waiting' * several})",
    )
    if oldest is None or not oldest[1] or (not full and oldest[0] > limit - waited(archive.after)):
        return 0, False
    events = event_table(revision.w)
    waiting = "UNION ALL SELECT n, NULL, day FROM waiting" if several else ""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE leaving AS
            SELECT DISTINCT e.record AS n, g.case_id, g.day FROM {events} AS e JOIN going AS g ON g.c = e.c {waiting}"""
    )
    store(connection, archive, revision.workflow.name)
    _index(connection, revision)
    if several:
        _index_keys(connection, revision)
        _count_as_orphans(connection, revision)
        connection.execute(f"DELETE FROM {events} WHERE c IS NULL AND record IN (SELECT n FROM waiting)")
    connection.execute(f"DELETE FROM {events} WHERE c IN (SELECT c FROM going)")
    connection.execute(f"DELETE FROM {case_table(revision.w)} WHERE c IN (SELECT c FROM going)")
    give_up_records(connection, revisions)
    gone = first_row(connection, "SELECT count(*) FROM going")
    return (int(gone[0]) if gone else 0), full


def _choose_cases(connection: DuckDBPyConnection, revision: Revision, limit: int) -> bool:
    """Make `going`, the cases of this step; whether there are more."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE going AS
            SELECT *, CAST(make_timestamp(last) AS DATE) AS day FROM (
                SELECT c, case_id, status, ended, events, findings, first, last, as_of, greatest(last, as_of) AS settled,
                       sum(events) OVER (ORDER BY last, c) - events AS before
                FROM (SELECT * FROM {case_table(revision.w)}
                      WHERE ended AND due >= {FOREVER} AND behind IS NULL AND events > 0 AND last <= {limit}
                        AND as_of <= {limit} AND c NOT IN (SELECT c FROM {touched_table(revision.w)})
                      ORDER BY last, c LIMIT {_MOST_CASES + 1})
                ORDER BY last, c LIMIT {_MOST_CASES})"""
    )
    held = first_row(connection, f"SELECT count(*), count_if(before >= {_MOST_EVENTS}) FROM going")
    assert held is not None
    connection.execute(f"DELETE FROM going WHERE before >= {_MOST_EVENTS}")
    return bool(held[0] == _MOST_CASES or held[1])


def _choose_waiting(connection: DuckDBPyConnection, revision: Revision, limit: int, arrived: int) -> bool:
    """Make `waiting`, the records that have waited long for a case; whether there are more."""
    events = event_table(revision.w)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE waiting AS
            SELECT w.n, w.last, w.copy, CAST(make_timestamp(w.last) AS DATE) AS day FROM
                (SELECT record AS n, max(time) AS last, bool_and(counted = {REDELIVERED}) AS copy
                 FROM {events} WHERE c IS NULL GROUP BY record
                 HAVING max(time) <= {limit}) AS w
            JOIN record AS r ON r.n = w.n
            WHERE r.arrived <= {arrived} AND w.n NOT IN (SELECT record FROM {events} WHERE c IS NOT NULL)
            ORDER BY w.last, w.n LIMIT {_MOST_CASES}"""
    )
    held = first_row(connection, "SELECT count(*) FROM waiting")
    return bool(held and held[0] == _MOST_CASES)


def store(connection: DuckDBPyConnection, archive: Archive, workflow: str | None) -> None:
    """Write the records in `leaving`, a file a day, and make `filing`, which says where each day's went."""
    connection.execute("CREATE OR REPLACE TEMP TABLE filing (day DATE, file BIGINT)")
    carried = ", ".join(f"{_HELD_IN.get(name, 'r')}.{name}" for name in CARRIED)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE parcel AS SELECT l.day, {carried}
            FROM leaving AS l JOIN record AS r ON r.n = l.n JOIN part AS p ON p.p = r.p"""
    )
    days = connection.execute("SELECT day, count(*) FROM parcel GROUP BY day ORDER BY day").fetchall()
    last = first_row(connection, "SELECT files FROM archive")
    number = int(last[0]) if last else 0
    for day, records in days:
        number += 1
        path = archive.path(workflow, day, number)
        columns = ", ".join(CARRIED)
        query = f"SELECT {columns} FROM parcel WHERE day = DATE '{day.isoformat()}' ORDER BY case_id, n"
        archive.write(connection, query, path)
        connection.execute("INSERT INTO filing VALUES (?, ?)", [day, number])
        connection.execute(
            "INSERT INTO archived_file VALUES (?, ?, ?, ?, ?, FALSE, FALSE)", [number, workflow, day, path, records]
        )
    connection.execute("DROP TABLE parcel")
    connection.execute("UPDATE archive SET files = ?", [number])


def _index(connection: DuckDBPyConnection, revision: Revision) -> None:
    names = ", ".join(literal(name) for name in revision.workflow.events) or "''"
    name = literal(revision.workflow.name)
    connection.execute(
        f"""INSERT INTO archived
            SELECT {hashed(revision.workflow.name, ["g.case_id"])}, {name}, g.case_id, f.file, g.status, g.ended, g.events,
                   g.findings, g.first, g.last, g.as_of, t.types
            FROM going AS g JOIN filing AS f ON f.day = g.day LEFT JOIN
                (SELECT c, string_agg(name || chr(31) || n, chr(30) ORDER BY type, n DESC, name) AS types
                 FROM (SELECT e.c, e.type, count(*) AS n,
                              CASE WHEN e.type >= 0 THEN [{names}][e.type + 1] ELSE {_stray("e.other")} END AS name
                       FROM {event_table(revision.w)} AS e JOIN going AS g ON g.c = e.c
                       WHERE (e.type >= 0 OR e.other IS NOT NULL) AND e.counted <> {REDELIVERED} GROUP BY ALL)
                 GROUP BY c) AS t ON t.c = g.c"""
    )


def _stray(name: str) -> str:
    """SQL of the name of a type that the workflow does not name: whoever sends events chose it."""
    return f"left(translate({name}, chr(30) || chr(31), '??'), {_LONGEST_STRAY})"


def _index_keys(connection: DuckDBPyConnection, revision: Revision) -> None:
    """Of each other key the values that lead to a case or to a waiting record; `loose` where an event that lacks the
    first key carries it, and so links."""
    events, name = event_table(revision.w), revision.workflow.name
    primary = identifier(KEY + revision.workflow.keys[0])
    for key in revision.workflow.keys[1:]:
        value = f"e.{identifier(KEY + key)}"
        sign = hashed(name, [literal(key), value])
        connection.execute(
            f"""INSERT INTO archived_key
                SELECT {sign}, bool_or(e.{primary} IS NULL), {literal(name)}, g.case_id, f.file, NULL
                FROM {events} AS e JOIN going AS g ON g.c = e.c JOIN filing AS f ON f.day = g.day
                WHERE {value} IS NOT NULL GROUP BY {value}, g.case_id, f.file
                UNION ALL SELECT DISTINCT {sign}, TRUE, {literal(name)}, NULL, f.file, g.n
                FROM {events} AS e JOIN waiting AS g ON g.n = e.record JOIN filing AS f ON f.day = g.day
                WHERE {value} IS NOT NULL"""
        )


def _count_as_orphans(connection: DuckDBPyConnection, revision: Revision) -> None:
    """While a record without a case is hot, who reads the account tells it apart; from now on the account does."""
    connection.execute(
        f"""UPDATE account AS a SET orphan = a.orphan + s.n + s.copies, redelivered = a.redelivered - s.copies,
                matched = a.matched - least(s.n, a.matched), late = a.late - (s.n - least(s.n, a.matched))
            FROM (SELECT p.source, count_if(NOT w.copy) AS n, count_if(w.copy) AS copies FROM waiting AS w
                  JOIN record AS r ON r.n = w.n JOIN part AS p ON p.p = r.p GROUP BY p.source) AS s
            WHERE a.w = {revision.w} AND a.source = s.source"""
    )


def give_up_records(connection: DuckDBPyConnection, revisions: Iterable[Revision]) -> None:
    """Take the records in `leaving` out of the database, but for those that an event still refers to."""
    span = first_row(connection, "SELECT min(n), max(n) FROM leaving")
    if span is None or span[0] is None:
        return
    within = f"BETWEEN {span[0]} AND {span[1]}"
    needed = " UNION ".join(
        f"SELECT record FROM {event_table(each.w)} WHERE record {within} AND record IN (SELECT n FROM leaving)"
        for each in revisions
    )
    connection.execute(f"DELETE FROM record WHERE n {within} AND n IN (SELECT n FROM leaving) AND n NOT IN ({needed})")
    connection.execute(f"UPDATE archive SET taken = greatest(taken, {span[1]})")
