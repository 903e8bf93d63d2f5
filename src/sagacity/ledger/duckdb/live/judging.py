"""Judging the cases that are due: the plan over their events, and what follows for each case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from sagacity.ledger.duckdb.live.keeping import LATE, REDELIVERED
from sagacity.ledger.duckdb.live.revision import AS_OF, Revision
from sagacity.ledger.duckdb.live.schema import case_table, event_table, touched_table
from sagacity.ledger.duckdb.live.statements import parsed
from sagacity.ledger.duckdb.rows import first_row
from sagacity.ledger.live import Outlook
from sagacity.plan.columns import attribute_columns
from sagacity.plan.withheld import BETWEEN, withheld
from sagacity.workflow.trace import FOREVER

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["Chosen", "archived_between", "choose", "choose_between", "judge_chosen", "next_due"]


class Chosen(msgspec.Struct, frozen=True):
    """How many cases are to be judged, whether there are more, and the highest number among those that are."""

    cases: int
    more: bool
    last: int = 0


def choose(connection: DuckDBPyConnection, revision: Revision, outlook: Outlook, most: int) -> Chosen:
    """Make `judging`: the cases that events have come for, that are due, or that waited for a source which has now been
    heard."""
    cases, touched = case_table(revision.w), touched_table(revision.w)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE judging AS SELECT c, case_id FROM {cases}
            WHERE due <= {outlook.as_of} OR c IN (SELECT c FROM {touched} WHERE "at" <= {outlook.as_of})
                {_released(connection, cases, outlook)} LIMIT {most + 1}"""
    )
    found = _count(connection, "judging")
    if found > most:
        connection.execute("DELETE FROM judging WHERE c = (SELECT max(c) FROM judging)")
    connection.execute(f'DELETE FROM {touched} WHERE "at" <= {outlook.as_of} AND c IN (SELECT c FROM judging)')
    return Chosen(min(found, most), found > most)


def choose_between(
    connection: DuckDBPyConnection, revision: Revision, start: int, end: int, after: int, most: int
) -> Chosen:
    """Make `judging`: the cases with an event from one instant up to, but not including, another, whose number is beyond
    `after`; of those the lowest, at most so many."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE judging AS SELECT c, case_id FROM {case_table(revision.w)}
            WHERE c > {after} AND c IN (SELECT c FROM {event_table(revision.w)} WHERE time >= {start} AND time < {end})
            ORDER BY c LIMIT {most + 1}"""
    )
    found = _count(connection, "judging")
    if found > most:
        connection.execute("DELETE FROM judging WHERE c = (SELECT max(c) FROM judging)")
    last = first_row(connection, "SELECT max(c) FROM judging")
    return Chosen(min(found, most), found > most, int(last[0]) if last and last[0] is not None else after)


def archived_between(connection: DuckDBPyConnection, revisions: Iterable[Revision], start: int, end: int) -> int:
    """How many archived cases reach from before one instant to another or beyond: which events they have in between is in
    their files alone."""
    called = [revision.workflow.name for revision in revisions]
    found = first_row(
        connection,
        "SELECT count(*) FROM archived WHERE workflow IN (SELECT unnest(?)) AND first < ? AND last >= ?",
        [called, end, start],
    )
    return int(found[0]) if found else 0


def next_due(connection: DuckDBPyConnection, revision: Revision) -> int | None:
    """When the next case falls due; None if never."""
    found = first_row(
        connection,
        f"""SELECT least((SELECT min(due) FROM {case_table(revision.w)}),
                         (SELECT min("at") FROM {touched_table(revision.w)}))""",
    )
    return None if not found or found[0] is None or found[0] >= FOREVER else int(found[0])


def _released(connection: DuckDBPyConnection, cases: str, outlook: Outlook) -> str:
    """SQL of the cases that are held for sources which have now been heard. Cases share few sets of sources."""
    sets = connection.execute(f"SELECT DISTINCT behind FROM {cases} WHERE behind IS NOT NULL").fetchall()
    conditions = []
    for (sources,) in sets:
        reached = min(outlook.behind.get(source, outlook.as_of) for source in sources.split(BETWEEN))
        quoted = sources.replace("'", "''")
        conditions.append(f"OR (behind = '{quoted}' AND held <= {reached})")
    return " ".join(conditions)


def judge_chosen(connection: DuckDBPyConnection, revision: Revision, outlook: Outlook) -> int:
    """Judge the cases in `judging`, and keep their verdicts; how many records proved to be redelivered.

    Leaves `found`, the findings of these cases, and `spared`, those that are not among them only since a source is behind.
    """
    statements = revision.judging
    connection.execute(parsed("CREATE OR REPLACE TEMP TABLE spared (id VARCHAR)"))
    connection.execute(f"SET VARIABLE as_of = {outlook.as_of}")
    _fetch(connection, revision)
    connection.execute(parsed(statements.screen))
    if not _count(connection, "screened WHERE NOT clean"):
        connection.execute(parsed(_NOTHING_FOUND))
        _keep_verdicts(connection, revision, [statements.told.screened], held=False)
        return 0
    for sql in statements.take:
        connection.execute(parsed(sql))
    told = [statements.told.screened]
    if _count(connection, "examined WHERE NOT trusted"):
        connection.execute(parsed(statements.rescreen))
        told.append(statements.told.rescreened)
    else:
        connection.execute(parsed(statements.spared))
    connection.execute(parsed(statements.doubt))
    held = False
    if _count(connection, "doubtful"):
        held = _examine(connection, revision, outlook.behind)
        told.append(statements.told.examined)
    else:
        connection.execute(parsed(_NOTHING_FOUND))
    _keep_verdicts(connection, revision, told, held=held)
    return _redelivered(connection, revision)


_NOTHING_FOUND = """CREATE OR REPLACE TEMP TABLE found (id VARCHAR, case_id VARCHAR, x INTEGER, expectation VARCHAR,
    kind VARCHAR, severity VARCHAR, rank INTEGER, owner VARCHAR, since BIGINT, type VARCHAR, time BIGINT,
    activation VARCHAR)"""


def _examine(connection: DuckDBPyConnection, revision: Revision, behind: Mapping[str, int]) -> bool:
    """Make the outcomes and the findings of the doubtful cases; violations that a source which is behind might mend are
    pending. Whether there may be any."""
    statements = revision.judging
    for sql in (*statements.trace, statements.none):
        connection.execute(parsed(sql))
    open_in = connection.execute(parsed(statements.undecided)).fetchone() or ()
    for cases, of_expectation in zip(open_in, statements.outcomes, strict=False):
        for sql in of_expectation if cases else ():
            connection.execute(parsed(sql))
    query = withheld(revision.awaited, behind) if behind else None
    if query is None:
        connection.execute(parsed(statements.findings))
        return False
    connection.execute(parsed(statements.findings))
    connection.execute("CREATE OR REPLACE TEMP TABLE spared AS SELECT id FROM found")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE judged AS {query.sql('duckdb')}")
    connection.execute("CREATE OR REPLACE TEMP TABLE outcomes AS SELECT * FROM judged")
    connection.execute(parsed(statements.findings))
    connection.execute("DELETE FROM spared WHERE id IN (SELECT id FROM found)")
    return True


def _fetch(connection: DuckDBPyConnection, revision: Revision) -> None:
    """Make `fetched`, every event of the chosen cases, and over it the relation `events` that the plan reads, in which a
    case goes by its number."""
    columns = ", ".join(
        ["type", "other", "time", "seq", "id", *(f'"{each.name}"' for each in attribute_columns(revision.workflow))]
    )
    connection.execute(
        parsed(
            f"""CREATE OR REPLACE TEMP TABLE fetched AS SELECT j.c, {columns}, record, counted, e.rowid AS row
                FROM {event_table(revision.w)} AS e JOIN judging AS j ON j.c = e.c"""
        )
    )
    connection.execute(
        parsed(f"CREATE OR REPLACE TEMP VIEW events AS SELECT c AS case_id, {columns} FROM fetched WHERE time <= {AS_OF}")
    )


def _keep_verdicts(connection: DuckDBPyConnection, revision: Revision, told: Sequence[str], *, held: bool) -> None:
    """Each case's status, and when it is judged next: when as-of alone may change it, or reaches an event that has come
    already."""
    waiting = (
        f"""LEFT JOIN (SELECT x.case_id AS c, min(o.at) AS held,
                             string_agg(DISTINCT o.behind, '{BETWEEN}' ORDER BY o.behind) AS behind
                      FROM outcomes AS o JOIN examined AS x ON x.c = o.c WHERE o.behind IS NOT NULL GROUP BY x.case_id
                     ) AS h ON h.c = j.c"""
        if held
        else ""
    )
    columns = "h.held, h.behind" if held else "CAST(NULL AS BIGINT) AS held, CAST(NULL AS VARCHAR) AS behind"
    connection.execute(
        parsed(
            f"""CREATE OR REPLACE TEMP TABLE verdict AS
                SELECT j.c, a.events, a.first, a.last, {AS_OF} AS as_of,
                       coalesce(s.status, 'open') AS status, coalesce(s.ended, FALSE) AS ended,
                       coalesce(s.findings, 0) AS findings, {columns},
                       least(coalesce(s.due, {FOREVER}), coalesce(a.ahead, {FOREVER})) AS due
                FROM judging AS j
                LEFT JOIN ({" UNION ALL ".join(told)}) AS s ON s.case_id = j.c
                LEFT JOIN (SELECT c, count(*) AS events, min(time) AS first, max(time) AS last,
                                  min(CASE WHEN time > {AS_OF} THEN time END) AS ahead
                           FROM fetched GROUP BY c) AS a ON a.c = j.c
                {waiting}"""
        )
    )
    _update(connection, case_table(revision.w), held=held)


_EVER_NEW = ("events", "last", "as_of")
_SELDOM_NEW = ("status", "ended", "findings", "first", "due")
_HELD = ("held", "behind")


def _update(connection: DuckDBPyConnection, cases: str, *, held: bool) -> None:
    """Bring the rows of the cases up to `verdict`: what seldom changes only in the rows in which it does, since a column is
    dear to update, and dearer to keep."""
    _set(connection, cases, _EVER_NEW, changed=False)
    _set(connection, cases, _SELDOM_NEW, changed=True)
    if held or first_row(connection, f"SELECT 1 FROM {cases} WHERE behind IS NOT NULL LIMIT 1"):
        _set(connection, cases, _HELD, changed=True)


def _set(connection: DuckDBPyConnection, cases: str, columns: Sequence[str], *, changed: bool) -> None:
    new = ", ".join(f"{name} = v.{name}" for name in columns)
    differs = " OR ".join(f"k.{name} IS DISTINCT FROM v.{name}" for name in columns)
    only = f"AND ({differs})" if changed else ""
    connection.execute(parsed(f"UPDATE {cases} AS k SET {new} FROM verdict AS v WHERE v.c = k.c {only}"))


def _redelivered(connection: DuckDBPyConnection, revision: Revision) -> int:
    """Account for further copies of events as redelivered, once each; how many that were."""
    if not _count(connection, "repeats"):
        return 0
    single = [code for code, name in enumerate(revision.workflow.events) if _one_event_a_record(revision, name)]
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE copies AS
            SELECT f.row, f.record, f.counted, f.type FROM (
                SELECT f.*, row_number() OVER (PARTITION BY f.c, f.type, f.other, f.id ORDER BY f.record) AS nth
                FROM fetched AS f JOIN examined AS x ON x.case_id = f.c JOIN repeats AS d
                ON d.c = x.c AND d.type = f.type AND d.other IS NOT DISTINCT FROM f.other AND d.id = f.id) AS f
            WHERE f.nth > 1 AND f.counted <> {REDELIVERED}"""
    )
    if not (found := _count(connection, "copies")):
        return 0
    listed = ", ".join(map(str, [-1, *single]))
    connection.execute(
        f"""UPDATE account AS a SET redelivered = a.redelivered + s.n, late = a.late - s.late,
                matched = a.matched - (s.n - s.late)
            FROM (SELECT p.source, count(*) AS n, count_if(c.counted = {LATE}) AS late
                  FROM copies AS c JOIN record AS r ON r.n = c.record JOIN part AS p ON p.p = r.p
                  WHERE c.type IN ({listed}) AND c.counted < {REDELIVERED} GROUP BY p.source) AS s
            WHERE a.w = {revision.w} AND a.source = s.source"""
    )
    connection.execute(
        f"UPDATE {event_table(revision.w)} AS e SET counted = {REDELIVERED} FROM copies AS c WHERE e.rowid = c.row"
    )
    return found


def _one_event_a_record(revision: Revision, event: str) -> bool:
    return revision.shapes[revision.workflow.events[event].source].type is not None


def _count(connection: DuckDBPyConnection, relation: str) -> int:
    found = first_row(connection, f"SELECT count(*) FROM {relation}")
    return int(found[0]) if found else 0
