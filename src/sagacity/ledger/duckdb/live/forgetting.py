"""The end of the retention: a file goes as a whole, with all that finds its cases, and what of their findings is settled.

A finding that nobody has settled stays until somebody does: it is open work, although the events are gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sagacity.ledger.duckdb.live.archive import Archive, day_start
from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.live.schema import case_table
from sagacity.ledger.duckdb.rows import first_row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["drop_empty", "forget"]

_DAY = 86_400_000_000
_MOST_FILES = 50


def forget(
    connection: DuckDBPyConnection, archive: Archive, revisions: Iterable[Revision], as_of: int, now: int
) -> tuple[int, list[str]]:
    """Forget some of what is older than it is to be kept: how many cases and records without a case, and the files that
    may be removed once the transaction is kept."""
    if archive.retain is None:
        return 0, []
    end = f"{day_start('day')} + {_DAY}"
    files = connection.execute(
        f"""SELECT file, path FROM archived_file WHERE CASE WHEN workflow IS NULL THEN {end} <= {now - archive.retain}
            ELSE {end} <= {as_of - archive.retain} END ORDER BY day, file LIMIT {_MOST_FILES}"""
    ).fetchall()
    forgotten = 0
    if files:
        listed = ", ".join(str(file) for file, _ in files)
        counted = first_row(
            connection,
            f"""SELECT (SELECT count(*) FROM archived WHERE file IN ({listed}))
                + (SELECT count(DISTINCT n) FROM archived_key WHERE file IN ({listed}) AND n IS NOT NULL)
                + (SELECT coalesce(sum(records), 0) FROM archived_file WHERE file IN ({listed}) AND workflow IS NULL)""",
        )
        forgotten = int(counted[0]) if counted else 0
        connection.execute(
            f"""INSERT INTO forgotten SELECT a.workflow, a.case_id FROM archived AS a WHERE a.file IN ({listed})
                AND EXISTS (SELECT 1 FROM finding AS f WHERE f.workflow = a.workflow AND f.case_id = a.case_id)"""
        )
        for table in ("archived", "archived_key", "owed", "archived_file"):
            connection.execute(f"DELETE FROM {table} WHERE file IN ({listed})")
    _settle(connection, revisions)
    return forgotten, [path for _, path in files]


def _settle(connection: DuckDBPyConnection, revisions: Iterable[Revision]) -> None:
    """Delete the findings of forgotten cases that are resolved, or waived for good."""
    some = first_row(connection, "SELECT count(*) FROM forgotten")
    if not some or not some[0]:
        return
    for revision in revisions:  # a case that began anew is no longer forgotten
        connection.execute(
            f"DELETE FROM forgotten WHERE workflow = ? AND case_id IN (SELECT case_id FROM {case_table(revision.w)})",
            [revision.workflow.name],
        )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE doomed AS SELECT f.id FROM finding AS f
           JOIN forgotten AS g ON g.workflow = f.workflow AND g.case_id = f.case_id
           WHERE f.state = 'resolved' OR (f.state = 'waived' AND f.until IS NULL)"""
    )
    for table, column in (("history", "finding"), ("notice", "finding"), ("finding", "id")):
        connection.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT id FROM doomed)")
    connection.execute(
        """DELETE FROM forgotten AS g WHERE NOT EXISTS
           (SELECT 1 FROM finding AS f WHERE f.workflow = g.workflow AND f.case_id = g.case_id)"""
    )


def drop_empty(connection: DuckDBPyConnection) -> list[str]:
    """Give up files of which everything has come back; what they are called. One that could not be read stays."""
    rows = connection.execute(
        """SELECT file, path FROM archived_file WHERE thinned AND NOT damaged
           AND file NOT IN (SELECT file FROM archived WHERE file IN (SELECT file FROM archived_file WHERE thinned))
           AND file NOT IN (SELECT file FROM archived_key WHERE file IN (SELECT file FROM archived_file WHERE thinned))
           AND file NOT IN (SELECT file FROM owed)"""
    ).fetchall()
    if rows:
        connection.execute(f"DELETE FROM archived_file WHERE file IN ({', '.join(str(file) for file, _ in rows)})")
    return [path for _, path in rows]
