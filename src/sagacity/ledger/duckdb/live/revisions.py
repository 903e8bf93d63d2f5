"""Workflows that are judged by: adopted, read anew when they change, and put in the place of what was there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sagacity.ledger.duckdb.live.archive import Archive
from sagacity.ledger.duckdb.live.arrivals import INCOMING
from sagacity.ledger.duckdb.live.keeping import keep
from sagacity.ledger.duckdb.live.numbering import HIGHEST
from sagacity.ledger.duckdb.live.returning import catch_up
from sagacity.ledger.duckdb.live.revision import Revision, revision_of
from sagacity.ledger.duckdb.live.schema import case_table, event_table, touched_table, workflow_tables
from sagacity.ledger.duckdb.live.settling import remember, tell
from sagacity.ledger.duckdb.rows import first_row
from sagacity.ledger.live import StoredWorkflow
from sagacity.workflow.language.reader import loads
from sagacity.workflow.model import Workflow
from sagacity.workflow.words.naming import names

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["adopt", "kept", "load_all", "reread", "stored"]

_LARGEST = 32_000_000
_STORED = 'name, revision, text, adopted, "by", CASE WHEN goal > 0 THEN reread / goal ELSE 1.0 END'


def load_all(connection: DuckDBPyConnection, known: Mapping[int, Revision] | None = None) -> dict[int, Revision]:
    """Every revision in the ledger, compiled; those that are `known` are not compiled again."""
    revisions: dict[int, Revision] = {}
    for w, text, current in connection.execute('SELECT w, text, "current" FROM workflow ORDER BY w').fetchall():
        kept = (known or {}).get(w)
        revisions[w] = revision_of(w, loads(text), current=current) if kept is None else replace(kept, current=current)
    return revisions


def stored(connection: DuckDBPyConnection) -> list[StoredWorkflow]:
    """The workflows by name; of one that is being read anew, the revision to come."""
    rows = connection.execute(
        f"""SELECT {_STORED} FROM workflow QUALIFY row_number() OVER (PARTITION BY name ORDER BY revision DESC) = 1
            ORDER BY name"""
    ).fetchall()
    return [_stored(row) for row in rows]


def _stored(row: tuple[str, int, str, int, str, float]) -> StoredWorkflow:
    name, revision, text, adopted, by, progress = row
    return StoredWorkflow(name=name, revision=revision, text=text, adopted=adopted, by=by, progress=float(progress))


def adopt(
    connection: DuckDBPyConnection, known: Mapping[int, Revision], workflow: Workflow, text: str, *, by: str, now: int
) -> tuple[StoredWorkflow, Mapping[int, Revision]]:
    """Keep a workflow, if it is new or has changed; those that are known then, compiled. Where records are kept,
    they are read anew before it takes the place of the former revision. Raises UsageError for a workflow that does not say
    how its events are read."""
    there = connection.execute(
        f"SELECT {_STORED}, w FROM workflow WHERE name = ? ORDER BY revision DESC", [workflow.name]
    ).fetchall()
    if there and there[0][2] == text:
        return _stored(there[0][:-1]), known
    last = first_row(connection, f"SELECT coalesce(max(w), 0), ({HIGHEST}) FROM workflow")
    assert last is not None
    w, goal = int(last[0]) + 1, int(last[1])
    compiled = revision_of(w, workflow, current=goal == 0)
    for row in there:
        if not known[row[-1]].current or goal == 0:
            _drop(connection, row[-1])
    for statement in workflow_tables(compiled.workflow, w):
        connection.execute(statement)
    for source in compiled.normals:
        connection.execute("INSERT INTO account VALUES (?, ?, 0, 0, 0, 0, 0, 0, 0)", [w, source])
    revision = there[0][1] + 1 if there else 1
    connection.execute(
        "INSERT INTO workflow VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
        [w, workflow.name, revision, text, now, by, goal == 0, goal],
    )
    progress = 1.0 if goal == 0 else 0.0
    kept = StoredWorkflow(name=workflow.name, revision=revision, text=text, adopted=now, by=by, progress=progress)
    return kept, {**known, w: compiled}


def kept(connection: DuckDBPyConnection, name: str, text: str) -> StoredWorkflow | None:
    """The revision that stays although a file is given: where the file says what it said the last time, what has been put
    in place since is what somebody wanted. Remembers what it says."""
    before = first_row(connection, "SELECT text FROM given WHERE name = ?", [name])
    if before is not None and before[0] == text:
        return next((each for each in stored(connection) if each.name == name and each.text != text), None)
    connection.execute("DELETE FROM given WHERE name = ?", [name])
    connection.execute("INSERT INTO given VALUES (?, ?)", [name, text])
    return None


def reread(connection: DuckDBPyConnection, known: Mapping[int, Revision], archive: Archive, now: int, most: int) -> float:
    """Read some of the kept records, of `_LARGEST` bytes together, for the first revision that has not read them all; the
    share that is done of it."""
    row = first_row(connection, 'SELECT w, reread, goal FROM workflow WHERE NOT "current" ORDER BY w LIMIT 1')
    if row is None:
        return 1.0
    w, done, goal = row
    upto = _fitting(connection, done, min(done + most, goal))
    table = connection.sql(
        f"""SELECT r.n, r.p, p.source, r.position, r.body, CAST(NULL AS VARCHAR) AS shown FROM record AS r
            JOIN part AS p ON p.p = r.p WHERE r.n > {done} AND r.n <= {upto} ORDER BY r.n"""
    ).to_arrow_table()
    connection.register(INCOMING, table)
    keep(connection, known[w], None, now)  # by this revision nothing has been judged that they could amend
    connection.unregister(INCOMING)
    connection.execute("UPDATE workflow SET reread = ? WHERE w = ?", [upto, w])
    if upto == goal:
        _take_over(connection, known, known[w], now)
        catch_up(connection, archive, known[w], now)
        connection.execute("UPDATE archive SET swept = 0")  # what no event was read in may be one now, or none any more
    return float(upto / goal)


def _fitting(connection: DuckDBPyConnection, done: int, upto: int) -> int:
    """Up to which record those after `done` are no larger together than may be; the first fits, however large."""
    row = first_row(
        connection,
        f"""SELECT min(n) - 1 FROM (SELECT n, row_number() OVER found AS place, sum(strlen(body)) OVER found AS held
            FROM record WHERE n > {done} AND n <= {upto} WINDOW found AS (ORDER BY n))
            WHERE place > 1 AND held > {_LARGEST}""",
    )
    return upto if row is None or row[0] is None else int(row[0])


def _take_over(connection: DuckDBPyConnection, known: Mapping[int, Revision], revision: Revision, now: int) -> None:
    """Put a revision in the place of the former one. Findings keep their lives: those of expectations that are gone are
    resolved, the others when their cases have been judged anew. Those of archived cases stand, and those of cases whose
    records are gone."""
    import pyarrow as pa

    name = revision.workflow.name
    former = [w for w, other in known.items() if other.workflow.name == name and w != revision.w]
    for w in former:
        _drop(connection, w)
    connection.execute('UPDATE workflow SET "current" = TRUE WHERE w = ?', [revision.w])
    called = names(revision.workflow)
    before = [expectation for w in former for expectation in names(known[w].workflow) if known[w].current]
    _expect(connection, name, before, called)
    marks = ", ".join("?" for _ in called) or "NULL"
    gone = connection.execute(
        f"""SELECT id, noticed FROM finding WHERE workflow = ? AND state <> 'resolved' AND (expectation NOT IN ({marks})
            OR case_id NOT IN (SELECT case_id FROM {case_table(revision.w)}
                UNION ALL SELECT case_id FROM archived WHERE workflow = ?
                UNION ALL SELECT case_id FROM forgotten WHERE workflow = ?
                UNION ALL SELECT case_id FROM owed WHERE workflow = ? AND case_id IS NOT NULL))""",
        [name, *called, name, name, name],
    ).fetchall()
    if gone:
        connection.register("gone_now", pa.table({"id": pa.array([finding for finding, _ in gone], pa.string())}))
        connection.execute(
            f"""UPDATE finding AS f SET state = 'resolved', resolved = {now}, changed = {now}, late = {now} - f.since,
                    until = NULL, "by" = NULL, reason = NULL FROM gone_now AS g WHERE g.id = f.id"""
        )
        connection.unregister("gone_now")
        remember(connection, [(finding, "resolved") for finding, _ in gone], now)
        tell(connection, [("resolved", finding, 1) for finding, noticed in gone if noticed], now)


def _expect(connection: DuckDBPyConnection, workflow: str, before: Sequence[str], now: Sequence[str]) -> None:
    """Remember which expectations are in place, and by which of them no case has been judged that is archived by now."""
    rows = connection.execute("SELECT expectation, file FROM expected WHERE workflow = ?", [workflow]).fetchall()
    since: dict[str, int] = {**dict.fromkeys(before, 0), **dict(rows)}
    last = first_row(connection, "SELECT files FROM archive")
    files = int(last[0]) if last else 0
    connection.execute("DELETE FROM expected WHERE workflow = ?", [workflow])
    for expectation in now:
        connection.execute("INSERT INTO expected VALUES (?, ?, ?)", [workflow, expectation, since.get(expectation, files)])


def _drop(connection: DuckDBPyConnection, w: int) -> None:
    connection.execute(f"DROP TABLE {event_table(w)}")
    connection.execute(f"DROP TABLE {case_table(w)}")
    connection.execute(f"DROP TABLE {touched_table(w)}")
    for table in ("account", "rejected", "workflow"):
        connection.execute(f"DELETE FROM {table} WHERE w = ?", [w])
