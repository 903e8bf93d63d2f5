"""Counts over the ways in which cases go, weighted by how many cases go so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import duckdb

from sagacity.ledger.mining import Beside, PairCount, TypeCount, Variant

__all__ = ["alternating", "beside", "pair_counts", "type_counts", "variants"]


def type_counts(connection: duckdb.DuckDBPyConnection) -> list[TypeCount]:
    """See `sagacity.ledger.mining.Mining.type_counts`."""
    times: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for kind, count, n in connection.execute(
        "SELECT type, times, sum(n)::BIGINT FROM kinds GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        times[kind][count] = n
    rows = connection.execute(
        """SELECT type, sum(n)::BIGINT, sum(n * times)::BIGINT, coalesce(sum(n) FILTER (first = 1), 0)::BIGINT,
                  coalesce(sum(n) FILTER (last = length), 0)::BIGINT,
                  sum(n * (middle - 1) / greatest(length - 1, 1)) / sum(n)
           FROM kinds JOIN lengths USING (v) GROUP BY type ORDER BY type"""
    ).fetchall()
    return [
        TypeCount(kind, cases, events, times[kind], first, last, place) for kind, cases, events, first, last, place in rows
    ]


def pair_counts(connection: duckdb.DuckDBPyConnection) -> list[PairCount]:
    """See `sagacity.ledger.mining.Mining.pair_counts`."""
    rows = connection.execute(
        """SELECT a.type, b.type, sum(a.n)::BIGINT, coalesce(sum(a.n) FILTER (a.first <= b.first), 0)::BIGINT,
                  coalesce(sum(a.n) FILTER (b.last >= a.last), 0)::BIGINT,
                  coalesce(sum(a.n) FILTER (a.last <= b.first), 0)::BIGINT
           FROM kinds AS a JOIN kinds AS b ON a.v = b.v AND a.type <> b.type GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    return [PairCount(*row) for row in rows]


def beside(connection: duckdb.DuckDBPyConnection) -> list[Beside]:
    """See `sagacity.ledger.mining.Mining.beside`."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE neighbours AS
           WITH weighted AS (SELECT s.v, s.i, s.type, s.p FROM steps AS s SEMI JOIN weights AS w USING (v))
           SELECT a.v, a.i, b.i AS j, a.type AS a, b.type AS b FROM weighted AS a JOIN weighted AS b
             ON a.v = b.v AND b.p = a.p + 1
           UNION ALL
           SELECT a.v, a.i, b.i, a.type, b.type FROM weighted AS a JOIN weighted AS b
             ON a.v = b.v AND b.p = a.p AND a.i <> b.i"""
    )
    rows = connection.execute(
        """WITH found AS (SELECT v, a, b, count(DISTINCT i) AS froms, count(DISTINCT j) AS tos FROM neighbours GROUP BY ALL)
           SELECT f.a, f.b, sum(k.n)::BIGINT, sum(k.n * f.froms)::BIGINT,
                  coalesce(sum(k.n) FILTER (f.froms = k.times), 0)::BIGINT,
                  coalesce(sum(k.n) FILTER (f.tos = l.times), 0)::BIGINT
           FROM found AS f JOIN kinds AS k ON k.v = f.v AND k.type = f.a JOIN kinds AS l ON l.v = f.v AND l.type = f.b
           GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    connection.execute("DROP TABLE neighbours")
    return [Beside(*row) for row in rows]


def alternating(
    connection: duckdb.DuckDBPyConnection, pairs: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], tuple[int, int]]:
    """See `sagacity.ledger.mining.Mining.alternating`."""
    if not pairs:
        return {}
    connection.execute("CREATE OR REPLACE TEMP TABLE asked (a SMALLINT, b SMALLINT)")
    connection.executemany("INSERT INTO asked VALUES (?, ?)", [list(pair) for pair in pairs])
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE spaced AS
           SELECT s.v, s.i, s.type, s.p, t.next, t.previous FROM steps AS s JOIN (
             SELECT v, type, p, lead(p) OVER w AS next, lag(p) OVER w AS previous
             FROM (SELECT DISTINCT v, type, p FROM steps SEMI JOIN weights USING (v)) WINDOW w AS (PARTITION BY v, type
             ORDER BY p)
           ) AS t USING (v, type, p)"""
    )
    query = """WITH kept AS (
                 SELECT a.v, k.a, k.b, count(DISTINCT {own}.i) AS kept FROM asked AS k JOIN spaced AS a ON a.type = k.a
                 JOIN spaced AS b ON b.type = k.b AND b.v = a.v AND {between} GROUP BY ALL)
               SELECT kept.a, kept.b, sum(n)::BIGINT FROM kept JOIN kinds ON kinds.v = kept.v AND kinds.type = kept.{own}
               WHERE kept = times GROUP BY ALL"""
    after = connection.execute(query.format(own="a", between="b.p >= a.p AND (a.next IS NULL OR b.p <= a.next)")).fetchall()
    before = connection.execute(
        query.format(own="b", between="a.p <= b.p AND (b.previous IS NULL OR a.p >= b.previous)")
    ).fetchall()
    connection.execute("DROP TABLE spaced")
    answered = {(a, b): n for a, b, n in after}
    preceded = {(a, b): n for a, b, n in before}
    return {pair: (answered.get(pair, 0), preceded.get(pair, 0)) for pair in pairs}


def variants(connection: duckdb.DuckDBPyConnection, most: int) -> tuple[int, list[Variant]]:
    """See `sagacity.ledger.mining.Mining.variants`."""
    row = connection.execute("SELECT count(*) FROM weights").fetchone()
    rows = connection.execute(
        """WITH chosen AS (SELECT v, n FROM weights ORDER BY n DESC, v LIMIT ?)
           SELECT v, n, p, list(type ORDER BY i) FROM steps JOIN chosen USING (v) GROUP BY ALL ORDER BY n DESC, v, p""",
        [most],
    ).fetchall()
    found: dict[int, tuple[int, list[tuple[int, ...]]]] = {}
    for v, n, _, types in rows:
        found.setdefault(v, (n, []))[1].append(tuple(types))
    return int(row[0]) if row else 0, [Variant(tuple(steps), n) for n, steps in found.values()]
