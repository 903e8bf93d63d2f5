"""The log by periods: cases by the period in which they began."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from sagacity.ledger.duckdb.events import EVENTS
from sagacity.ledger.mining import Begun, Pace

__all__ = ["begun", "only", "pace", "strays", "types_by_period", "ways_by_period"]

_ALL = '"all events"'
_WAYS = 200


def begun(connection: duckdb.DuckDBPyConnection, origin: int, width: int) -> list[Begun]:
    """The periods in which cases began, with how many."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE begun AS SELECT case_id, (min(time) - {origin}) // {width} AS period
            FROM {EVENTS} GROUP BY case_id"""
    )
    rows = connection.execute("SELECT period, count(*) FROM begun GROUP BY 1 ORDER BY 1").fetchall()
    return [Begun(int(period), int(n)) for period, n in rows]


def only(connection: duckdb.DuckDBPyConnection, period: int | None) -> None:
    """Leave in `events` the cases that began in one period; None brings all back."""
    names = {name for (name,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE temporary").fetchall()}
    if _ALL.strip('"') not in names:
        connection.execute(f"ALTER VIEW {EVENTS} RENAME TO {_ALL}")
    where = "" if period is None else f" SEMI JOIN (SELECT case_id FROM begun WHERE period = {period}) AS b USING (case_id)"
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {EVENTS} AS SELECT e.* FROM {_ALL} AS e{where}")


def types_by_period(connection: duckdb.DuckDBPyConnection) -> dict[tuple[int, int], int]:
    """How many cases of each period have each type: by type and period."""
    rows = connection.execute(
        f"""SELECT type, period, count(DISTINCT case_id) FROM {EVENTS} JOIN begun USING (case_id)
            WHERE type >= 0 GROUP BY ALL"""
    ).fetchall()
    return {(int(kind), int(period)): int(n) for kind, period, n in rows}


def strays(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], int]:
    """How many cases of each period have events of types that the workflow does not name: by type and period."""
    rows = connection.execute(
        f"""SELECT other, period, count(DISTINCT case_id) FROM {EVENTS} JOIN begun USING (case_id)
            WHERE type < 0 AND other IS NOT NULL GROUP BY ALL"""
    ).fetchall()
    return {(str(name), int(period)): int(n) for name, period, n in rows}


def ways_by_period(connection: duckdb.DuckDBPyConnection) -> list[tuple[tuple[int, ...], dict[int, int]]]:
    """The most frequent ways in which cases go, as types in order, with how many cases of each period do."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE frequent AS SELECT v, row_number() OVER (ORDER BY count(*) DESC, v) AS rank
            FROM courses GROUP BY v ORDER BY count(*) DESC, v LIMIT {_WAYS}"""
    )
    steps = connection.execute(
        "SELECT rank, list(type ORDER BY i) FROM steps JOIN frequent USING (v) GROUP BY rank ORDER BY rank"
    ).fetchall()
    counts = connection.execute(
        """SELECT rank, period, count(*) FROM courses JOIN frequent USING (v)
           JOIN (SELECT hash(case_id) AS c, period FROM begun) AS b ON b.c = courses.c GROUP BY ALL"""
    ).fetchall()
    of: dict[int, dict[int, int]] = {}
    for rank, period, n in counts:
        of.setdefault(int(rank), {})[int(period)] = int(n)
    return [(tuple(types), of.get(int(rank), {})) for rank, types in steps]


def pace(connection: duckdb.DuckDBPyConnection, pairs: Sequence[tuple[int, int]]) -> list[Pace]:
    """For each pair and period how long it takes from the first a to the first b after it: how often, and the median."""
    found = []
    for a, b in pairs:
        rows = connection.execute(
            f"""SELECT period, count(*), quantile_disc(d, 0.5) FROM (
                  SELECT e.c, min(o.time) - min(e.time) AS d
                  FROM (SELECT c, min(time) AS time FROM mined WHERE type = {a} GROUP BY c) AS e
                  JOIN mined AS o ON o.c = e.c AND o.type = {b} AND o.time >= e.time GROUP BY e.c)
                JOIN (SELECT hash(case_id) AS c, period FROM begun) AS s USING (c) GROUP BY 1"""
        ).fetchall()
        found.append(Pace(a, b, {int(period): (int(n), int(median)) for period, n, median in rows}))
    return found
