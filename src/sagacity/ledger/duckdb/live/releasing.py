"""What upkeep does about the archive, some of it in each call: cases go there, and at the end of the retention out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sagacity.ledger.duckdb.live.archive import Archive
from sagacity.ledger.duckdb.live.archiving import archive_cases
from sagacity.ledger.duckdb.live.forgetting import drop_empty, forget
from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.live.sweeping import archive_unmatched
from sagacity.ledger.live import Released

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["upkeep"]


def upkeep(
    connection: DuckDBPyConnection, archive: Archive, revisions: Sequence[Revision], as_of: int | None, now: int
) -> tuple[Released, list[str]]:
    """Archive and forget some, within a transaction; what was done, and the files to remove once that is kept.

    As long as a changed workflow is being read for, nothing moves: it is to find the records where they were.
    """
    if as_of is None or not all(revision.current for revision in revisions):
        return Released(0, 0), []
    archived, more = 0, False
    if archive.after is not None:
        for revision in revisions:
            gone, left = archive_cases(connection, archive, revision, revisions, as_of, now)
            archived += gone
            more = more or left
        more = archive_unmatched(connection, archive, revisions, now) or more
    forgotten, paths = forget(connection, archive, revisions, as_of, now)
    return Released(archived, forgotten, more), [*paths, *drop_empty(connection)]
