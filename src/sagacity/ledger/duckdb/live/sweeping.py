"""Records that belong to no event of any workflow: kept for a while, then put into the archive, where nothing looks for
them but people.

They are looked for along their numbers, some at a time, each once: a record that has an event goes with its case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sagacity.ledger.duckdb.live.archive import Archive
from sagacity.ledger.duckdb.live.archiving import give_up_records, store, waited
from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.live.schema import event_table
from sagacity.ledger.duckdb.rows import first_row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["archive_unmatched"]

_SPAN = 200_000


def archive_unmatched(connection: DuckDBPyConnection, archive: Archive, revisions: Sequence[Revision], now: int) -> bool:
    """Archive some records that belong to no event; whether there are more to look at."""
    assert archive.after is not None
    limit = now - archive.after
    first = first_row(
        connection,
        """SELECT n, arrived FROM record WHERE n = (SELECT min(n) FROM record WHERE n > (SELECT swept FROM archive))""",
    )
    if first is None or first[1] > limit:
        return False
    start = int(first[0])
    young = first_row(
        connection, f"SELECT min(n) FROM record WHERE n BETWEEN {start} AND {start + _SPAN} AND arrived > {limit}"
    )
    full = young is None or young[0] is None
    stop = start + _SPAN if young is None or young[0] is None else int(young[0]) - 1
    last = first_row(connection, f"SELECT max(n) FROM record WHERE n BETWEEN {start} AND {stop}")
    assert last is not None
    stop = int(last[0])
    full = full and stop == start + _SPAN
    if not full and first[1] > limit - waited(archive.after):
        return False
    within = f"BETWEEN {start} AND {stop}"
    known = "".join(f" AND n NOT IN (SELECT record FROM {event_table(each.w)} WHERE record {within})" for each in revisions)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE leaving AS
            SELECT n, CAST(NULL AS VARCHAR) AS case_id, CAST(make_timestamp(arrived) AS DATE) AS day FROM record
            WHERE n {within}{known}"""
    )
    store(connection, archive, None)
    give_up_records(connection, ())
    connection.execute(f"UPDATE archive SET swept = {stop}")
    return full
