"""A live ledger's cases by the period in which they began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.live.schema import case_table, event_table
from sagacity.ledger.live import PeriodCounts

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["by_period"]


def by_period(connection: DuckDBPyConnection, revision: Revision, origin: int, width: int, since: int) -> PeriodCounts:
    """See `sagacity.ledger.live.LiveLedger.by_period`."""
    workflow = revision.workflow
    cases = f"""SELECT c, case_id, (first - $origin) // $width AS period, ended OR due IS NULL AS decided
        FROM {case_table(revision.w)} WHERE first >= $since AND as_of IS NOT NULL
        UNION ALL SELECT NULL, case_id, (first - $origin) // $width, TRUE FROM archived
        WHERE workflow = $workflow AND first >= $since"""
    given = {"origin": origin, "width": width, "since": since}
    named = {**given, "workflow": workflow.name}
    begun, decided = {}, {}
    for period, n, over in connection.execute(
        f"SELECT period, count(*), count_if(decided) FROM ({cases}) GROUP BY period", named
    ).fetchall():
        begun[int(period)], decided[int(period)] = int(n), int(over)
    violated: dict[str, dict[int, int]] = {}
    for name, period, n in connection.execute(
        f"""SELECT expectation, period, count(DISTINCT case_id) FROM finding JOIN ({cases}) AS k USING (case_id)
            WHERE workflow = $workflow AND state <> 'resolved' AND decided GROUP BY ALL""",
        named,
    ).fetchall():
        violated.setdefault(str(name), {})[int(period)] = int(n)
    types: dict[str, dict[int, int]] = {}
    known = list(workflow.events)
    for kind, other, period, n in connection.execute(
        f"""SELECT e.type, CASE WHEN e.type < 0 THEN e.other END, (k.first - $origin) // $width AS period,
                count(DISTINCT e.c)
            FROM {event_table(revision.w)} AS e JOIN {case_table(revision.w)} AS k ON k.c = e.c
            WHERE k.first >= $since AND k.as_of IS NOT NULL AND (k.ended OR k.due IS NULL) GROUP BY ALL""",
        given,
    ).fetchall():
        name = known[kind] if kind >= 0 else other
        if name is not None:
            types.setdefault(str(name), {})[int(period)] = int(n)
    for name, period, n in connection.execute(
        """SELECT split_part(each, chr(31), 1), period, count(*) FROM (
               SELECT unnest(string_split(types, chr(30))) AS each, (first - $origin) // $width AS period
               FROM archived WHERE workflow = $workflow AND first >= $since AND types IS NOT NULL) GROUP BY ALL""",
        named,
    ).fetchall():
        if name in known:
            periods = types.setdefault(str(name), {})
            periods[int(period)] = periods.get(int(period), 0) + int(n)
    return PeriodCounts(begun=begun, decided=decided, violated=violated, types=types)
