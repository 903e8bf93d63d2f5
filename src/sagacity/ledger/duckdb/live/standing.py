"""A live ledger's cases by the period in which they began.

A case is decided where nothing is waited for any more: it has ended, no deadline is to come, and no source is behind that
could still mend it. Where a workflow says of nothing when it must have happened, a case that has not ended is decided once
it is older than nearly all cases grow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagacity.ledger.duckdb.live.keeping import REDELIVERED
from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.live.schema import case_table, event_table
from sagacity.ledger.duckdb.rows import first_row
from sagacity.ledger.live import PeriodCounts
from sagacity.workflow.trace import FOREVER
from sagacity.workflow.words.naming import names

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["by_period"]

_NEARLY_ALL = 0.99
_OVER = f"due >= {FOREVER} AND behind IS NULL AND (ended OR first <= $settled)"


def by_period(
    connection: DuckDBPyConnection, revision: Revision, origin: int, width: int, since: int, reached: int | None
) -> PeriodCounts:
    """See `sagacity.ledger.live.LiveLedger.by_period`. `reached`: as-of."""
    given = {"origin": origin, "width": width, "since": since, "settled": _settled(connection, revision, reached)}
    named = {**given, "workflow": revision.workflow.name}
    cases = f"""SELECT case_id, (first - $origin) // $width AS period, {_OVER} AS decided
        FROM {case_table(revision.w)} WHERE first >= $since AND as_of IS NOT NULL
        UNION ALL SELECT case_id, (first - $origin) // $width, TRUE FROM archived
        WHERE workflow = $workflow AND first >= $since"""
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
    types, repeated = _types(connection, revision, named)
    unjudged = _unjudged(connection, revision, origin, width, since)
    return PeriodCounts(
        begun=begun,
        decided=decided,
        violated=violated,
        types=types,
        unjudged=unjudged,
        repeated=repeated,
        until=reached,
    )


def _settled(connection: DuckDBPyConnection, revision: Revision, reached: int | None) -> int:
    """Who began up to this instant is older than all but one in a hundred of the cases grew."""
    if reached is None:
        return -FOREVER
    row = first_row(
        connection,
        f"SELECT quantile_disc(last - first, {_NEARLY_ALL}) FROM {case_table(revision.w)} WHERE as_of IS NOT NULL",
    )
    return reached - (int(row[0]) if row and row[0] is not None else 0)


_Types = dict[str, dict[int, int]]
_Repeated = dict[str, dict[int, tuple[int, int]]]


def _types(connection: DuckDBPyConnection, revision: Revision, given: dict[str, object]) -> tuple[_Types, _Repeated]:
    """By type and period the decided cases that have it; of types that some have several times, how many events and the
    sum of their squares."""
    known = list(revision.workflow.events)
    found: dict[tuple[str, int], list[int]] = {}

    def add(name: str, period: int, counts: list[int]) -> None:
        kept = found.setdefault((name, period), [0, 0, 0])
        found[name, period] = [a + int(b) for a, b in zip(kept, counts, strict=True)]

    for kind, other, period, *counts in connection.execute(
        f"""SELECT type, other, period, count(*), sum(n), sum(n * n) FROM (
                SELECT e.c, e.type, CASE WHEN e.type < 0 THEN e.other END AS other, k.period, count(*) AS n
                FROM {event_table(revision.w)} AS e JOIN
                     (SELECT c, (first - $origin) // $width AS period FROM {case_table(revision.w)}
                      WHERE first >= $since AND as_of IS NOT NULL AND {_OVER}) AS k ON k.c = e.c
                WHERE e.counted <> {REDELIVERED} GROUP BY ALL) GROUP BY ALL""",
        {name: value for name, value in given.items() if name != "workflow"},
    ).fetchall():
        if kind >= 0 or other is not None:
            add(known[kind] if kind >= 0 else str(other), int(period), counts)
    for name, period, *counts in connection.execute(
        """SELECT split_part(each, chr(31), 1), period, sum(cases), sum(cases * n), sum(cases * n * n) FROM (
               SELECT each, period, cases, TRY_CAST(split_part(each, chr(31), 2) AS BIGINT) AS n FROM (
                   SELECT unnest(string_split(types, chr(30))) AS each, period, cases FROM (
                       SELECT types, (first - $origin) // $width AS period, count(*) AS cases FROM archived
                       WHERE workflow = $workflow AND first >= $since AND types IS NOT NULL GROUP BY ALL)))
           GROUP BY ALL""",
        {name: value for name, value in given.items() if name != "settled"},
    ).fetchall():
        add(str(name), int(period), counts)
    types: _Types = {}
    repeated: _Repeated = {}
    for (name, period), (cases, events, squares) in found.items():
        types.setdefault(name, {})[period] = cases
        repeated.setdefault(name, {})[period] = events, squares
    several = {name for (name, _), (cases, events, _) in found.items() if events > cases}
    return types, {name: counts for name, counts in repeated.items() if name in several}


def _unjudged(
    connection: DuckDBPyConnection, revision: Revision, origin: int, width: int, since: int
) -> dict[str, dict[int, int]]:
    """By expectation the cases that had gone to the archive when it was put in place."""
    workflow, found = revision.workflow, dict[str, dict[int, int]]()
    rows = connection.execute(
        "SELECT file, list(expectation) FROM expected WHERE workflow = ? AND file > 0 GROUP BY file", [workflow.name]
    ).fetchall()
    called = set(names(workflow))
    for file, expectations in rows:
        counts = connection.execute(
            """SELECT (first - ?) // ? AS period, count(*) FROM archived
               WHERE workflow = ? AND first >= ? AND file <= ? GROUP BY period""",
            [origin, width, workflow.name, since, file],
        ).fetchall()
        if counts:
            before = {int(period): int(n) for period, n in counts}
            found.update((expectation, before) for expectation in expectations if expectation in called)
    return found
