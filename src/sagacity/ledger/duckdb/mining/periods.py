"""The log by periods: cases by the period in which they began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from sagacity.ledger.duckdb.events import EVENTS
from sagacity.ledger.duckdb.mining.timing import BIN
from sagacity.ledger.mining import Begun, Often, Pace
from sagacity.plan.parts import tallies_by
from sagacity.plan.plan import Plan

__all__ = ["begun", "held_by_period", "keep", "pace", "strays", "types_by_period", "ways_by_period"]

_WAYS = 100
"""Ways of each half of the log: one that is new is among those of the last, however many there were before."""

_HASHED = "(SELECT hash(case_id) AS c, period FROM begun)"


def begun(connection: duckdb.DuckDBPyConnection, origin: int, width: int) -> list[Begun]:
    """The periods in which cases began."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE begun AS
            SELECT case_id, first, (first - {origin}) // {width} AS period
            FROM (SELECT case_id, min(time) AS first FROM {EVENTS} GROUP BY case_id)"""
    )
    return _counted(connection)


def keep(connection: duckdb.DuckDBPyConnection, first: int, last: int, until: int) -> list[Begun]:
    """See `sagacity.ledger.mining.Mining.keep`."""
    connection.execute(f"DELETE FROM begun WHERE period < {first} OR period > {last} OR first > {until}")
    return _counted(connection)


def _counted(connection: duckdb.DuckDBPyConnection) -> list[Begun]:
    rows = connection.execute(
        "SELECT period, count(*), min(first), max(first) FROM begun GROUP BY period ORDER BY period"
    ).fetchall()
    return [Begun(*map(int, row)) for row in rows]


def held_by_period(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[int, dict[int, tuple[int, int]]]:
    """See `sagacity.ledger.mining.Mining.held_by_period`."""
    found: dict[int, dict[int, tuple[int, int]]] = {}
    for x, period, held, broken in connection.execute(tallies_by(plan, "begun", "period").sql("duckdb")).fetchall():
        found.setdefault(int(x), {})[int(period)] = int(held), int(held) + int(broken)
    return found


def types_by_period(connection: duckdb.DuckDBPyConnection) -> dict[tuple[int, int], Often]:
    """See `sagacity.ledger.mining.Mining.types_by_period`."""
    rows = connection.execute(
        f"""SELECT type, period, count(*), sum(n)::BIGINT, sum(n * n)::BIGINT
            FROM (SELECT c, type, count(*) AS n FROM mined GROUP BY c, type) JOIN {_HASHED} AS s USING (c) GROUP BY ALL"""
    ).fetchall()
    return {(int(kind), int(period)): Often(*map(int, rest)) for kind, period, *rest in rows}


def strays(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], int]:
    """See `sagacity.ledger.mining.Mining.strays`."""
    rows = connection.execute(
        f"""SELECT other, period, count(DISTINCT case_id) FROM {EVENTS} JOIN begun USING (case_id)
            WHERE type < 0 AND other IS NOT NULL GROUP BY ALL"""
    ).fetchall()
    return {(str(name), int(period)): int(n) for name, period, n in rows}


def ways_by_period(connection: duckdb.DuckDBPyConnection) -> list[tuple[tuple[int, ...], Mapping[int, int]]]:
    """See `sagacity.ledger.mining.Mining.ways_by_period`."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE went AS
            SELECT v, period, period > middle AS late FROM courses JOIN {_HASHED} AS s USING (c),
                   (SELECT quantile_disc(period, 0.5) AS middle FROM begun) AS m"""
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE frequent AS
            SELECT v, row_number() OVER (ORDER BY sum(n) DESC, v) AS rank FROM (
                SELECT v, count(*) AS n FROM went GROUP BY v, late
                QUALIFY row_number() OVER (PARTITION BY late ORDER BY n DESC, v) <= {_WAYS}) GROUP BY v"""
    )
    steps = connection.execute(
        "SELECT rank, list(type ORDER BY i) FROM steps JOIN frequent USING (v) GROUP BY rank ORDER BY rank"
    ).fetchall()
    counts = connection.execute("SELECT rank, period, count(*) FROM went JOIN frequent USING (v) GROUP BY ALL").fetchall()
    of: dict[int, dict[int, int]] = {}
    for rank, period, n in counts:
        of.setdefault(int(rank), {})[int(period)] = int(n)
    connection.execute("DROP TABLE went")
    return [(tuple(types), of.get(int(rank), {})) for rank, types in steps]


def pace(connection: duckdb.DuckDBPyConnection, pairs: Sequence[tuple[int, int]]) -> list[Pace]:
    """See `sagacity.ledger.mining.Mining.pace`."""
    found = []
    for a, b in pairs:
        rows = connection.execute(
            f"""SELECT period, {BIN.format(d="d")} AS bin, count(*), max(d) FROM (
                  SELECT e.c, min(o.time) - min(e.time) AS d
                  FROM (SELECT c, min(time) AS time FROM mined WHERE type = {a} GROUP BY c) AS e
                  JOIN mined AS o ON o.c = e.c AND o.type = {b} AND o.time >= e.time GROUP BY e.c)
                JOIN {_HASHED} AS s USING (c) GROUP BY ALL"""
        ).fetchall()
        by_period: dict[int, dict[int, tuple[int, int]]] = {}
        for period, number, n, longest in rows:
            by_period.setdefault(int(period), {})[int(number)] = int(n), int(longest)
        found.append(Pace(a, b, by_period))
    return found
