"""The log as learning needs it: narrow, without redelivered copies, each case reduced to the way it goes.

| relation | one row | columns |
|---|---|---|
| `mined` | an event | `c` the case's hash, `type`, `time`, `p` its position in the case from 1, concurrent events
sharing one |
| `courses` | a case | `c`, `v` the variant, `first`, `last` |
| `steps` | an event of a variant | `v`, `i` its place, `type`, `p` |
| `weights` | a variant | `v`, `n` the counted cases that go so |

A variant is one text: a letter an event, which tells its type and whether it is concurrent with the one before. Cases
that go the same way are counted together, so that all that has to do with order is worked out once a variant.

A case is known by a hash here. What is counted so only chooses candidates; their evidence comes from the plan, which is
exact.
"""

from __future__ import annotations

import duckdb

from sagacity.ledger.duckdb.events import EVENTS
from sagacity.ledger.mining import LogShape

__all__ = ["build", "reached", "settle", "shape"]

_LASTING = (0.5, 0.9, 0.95, 0.99, 1.0)
_LETTER = 0x4E00
"""Where letters begin: beyond what has a meaning of its own, and below what is no letter."""


def build(connection: duckdb.DuckDBPyConnection, until: int | None, *, identified: bool) -> None:
    """Make `mined`, `courses` and `steps` of the events up to an instant."""
    bound = f" AND time <= {until}" if until is not None else ""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE raw AS
            SELECT hash(case_id) AS c, type, time, seq{", hash(id) AS id" if identified else ""} FROM {EVENTS}
            WHERE type >= 0{bound}"""
    )
    if identified:
        _without_copies(connection)
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE mined AS
           SELECT c, type, time, dense_rank() OVER (PARTITION BY c ORDER BY time, seq)::INTEGER AS p FROM raw"""
    )
    connection.execute("DROP TABLE raw")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE coursed AS
            SELECT c, string_agg(chr({_LETTER} + 2 * type + (p % 2)::INTEGER), '' ORDER BY p, type) AS course,
                   min(time) AS first, max(time) AS last FROM mined GROUP BY c"""
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE named AS
           SELECT course, row_number() OVER (ORDER BY course)::INTEGER AS v FROM (SELECT DISTINCT course FROM coursed)"""
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE courses AS
           SELECT c, v, first, last FROM coursed JOIN named USING (course)"""
    )
    connection.execute("DROP TABLE coursed")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE steps AS
            SELECT v, i, type, 1 + sum(moved) OVER (PARTITION BY v ORDER BY i ROWS UNBOUNDED PRECEDING)::INTEGER AS p FROM (
              SELECT v, i, (k // 2)::SMALLINT AS type,
                     CASE WHEN k % 2 <> lag(k % 2, 1, k % 2) OVER (PARTITION BY v ORDER BY i) THEN 1 ELSE 0 END AS moved
              FROM (SELECT v, unnest(list_transform(string_split(course, ''), lambda x: unicode(x) - {_LETTER})) AS k,
                    generate_subscripts(string_split(course, ''), 1)::INTEGER AS i FROM named))"""
    )
    connection.execute("DROP TABLE named")


def _without_copies(connection: duckdb.DuckDBPyConnection) -> None:
    """Of several events of one type and id in a case the earliest is kept. Only where a type recurs can there be any."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE recurring AS
           SELECT c, type FROM raw GROUP BY c, type HAVING count(*) > 1"""
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE spare AS
           SELECT r.rowid AS place FROM raw AS r SEMI JOIN recurring AS m ON m.c = r.c AND m.type = r.type
           WHERE r.id IS NOT NULL QUALIFY row_number() OVER (PARTITION BY r.c, r.type, r.id ORDER BY r.time, r.seq) > 1"""
    )
    connection.execute("DELETE FROM raw WHERE rowid IN (SELECT place FROM spare)")
    connection.execute("DROP TABLE spare")
    connection.execute("DROP TABLE recurring")


def reached(connection: duckdb.DuckDBPyConnection, aside: int) -> int:
    """See `sagacity.ledger.mining.Mining.reached`."""
    row = connection.execute(f"SELECT last FROM courses ORDER BY last DESC LIMIT 1 OFFSET {aside}").fetchone()
    return int(row[0]) if row else 0


def settle(connection: duckdb.DuckDBPyConnection, before: int) -> None:
    """Make `weights` and what is counted from them: `kinds`, for each variant and type how often and where it occurs."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE weights AS
            SELECT v, count(*)::BIGINT AS n FROM courses WHERE first <= {before} GROUP BY v"""
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE kinds AS
           SELECT v, s.type, any_value(w.n) AS n, count(*)::INTEGER AS times, min(p) AS first, max(p) AS last,
                  avg(p) AS middle
           FROM steps AS s JOIN weights AS w USING (v) GROUP BY v, s.type"""
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE lengths AS
           SELECT v, max(p) AS length FROM steps SEMI JOIN weights USING (v) GROUP BY v"""
    )


def shape(connection: duckdb.DuckDBPyConnection, *, settled: bool) -> LogShape:
    """The log as a whole."""
    shares = ", ".join(map(str, _LASTING))
    row = connection.execute(
        f"SELECT count(*), min(first), max(last), quantile_disc(last - first, [{shares}]) FROM courses"
    ).fetchone()
    events = connection.execute("SELECT count(*) FROM mined").fetchone()
    counted = connection.execute("SELECT coalesce(sum(n), 0) FROM weights").fetchone() if settled else (0,)
    cases, first, last, quantiles = row or (0, 0, 0, None)
    lasting = dict(zip(_LASTING, quantiles or [0] * len(_LASTING), strict=True))
    return LogShape(int(cases), int((counted or (0,))[0]), int((events or (0,))[0]), first or 0, last or 0, lasting)
