"""How long things take: from an event to the nearest other one on a side of it, in bins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import duckdb

from sagacity.ledger.mining import Delay, Side

__all__ = ["BIN", "delays"]

BIN = "CASE WHEN {d} > 0 THEN floor(16 * log2({d}))::INTEGER ELSE -1 END"
"""SQL of the bin of a span: see `sagacity.ledger.mining.Delay`."""


def delays(connection: duckdb.DuckDBPyConnection, before: int, pairs: Sequence[tuple[int, int, Side]]) -> list[Delay]:
    """See `sagacity.ledger.mining.Mining.delays`. Cases count that began up to `before`.

    Where neither type of a pair recurs in the counted cases, the spans of all such pairs come of one pass over the events.
    """
    single = {
        kind for (kind,) in connection.execute("SELECT type FROM kinds GROUP BY type HAVING max(times) = 1").fetchall()
    }
    plain = [pair for pair in pairs if pair[0] in single and pair[1] in single]
    bins: defaultdict[tuple[int, int, Side], dict[int, tuple[int, int]]] = defaultdict(dict)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE in_time AS SELECT m.c, m.type, m.time FROM mined AS m "
        f"SEMI JOIN (SELECT c FROM courses WHERE first <= {before}) AS k ON k.c = m.c"
    )
    counted = "in_time"
    if plain:
        types = sorted({kind for a, b, _ in plain for kind in (a, b)})
        columns = ", ".join(f"min(time) FILTER (type = {kind}) AS t{kind}" for kind in types)
        listed = ", ".join(map(str, types))
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE timed AS SELECT {columns} FROM {counted} WHERE type IN ({listed}) GROUP BY c"
        )
        for pair in plain:
            a, b, _ = pair
            found = f"SELECT t{b} - t{a} AS d FROM timed WHERE t{b} >= t{a}"
            bins[pair] = _binned(connection, found)
        connection.execute("DROP TABLE timed")
    for pair in pairs:
        if pair not in bins:
            bins[pair] = _binned(connection, _nearest(counted, pair))
    connection.execute("DROP TABLE in_time")
    return [Delay(a, b, side, bins[a, b, side]) for a, b, side in pairs]


def _nearest(counted: str, pair: tuple[int, int, Side]) -> str:
    a, b, side = pair
    own, other = (a, b) if side == "after" else (b, a)
    order = "o.time >= e.time" if side == "after" else "o.time <= e.time"
    return f"""SELECT abs(o.time - e.time) AS d FROM (SELECT c, time FROM {counted} WHERE type = {own}) AS e
               ASOF JOIN (SELECT c, time FROM {counted} WHERE type = {other}) AS o ON o.c = e.c AND {order}"""


def _binned(connection: duckdb.DuckDBPyConnection, spans: str) -> dict[int, tuple[int, int]]:
    rows = connection.execute(
        f"SELECT {BIN.format(d='d')} AS bin, count(*)::BIGINT, max(d)::BIGINT FROM ({spans}) GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {number: (n, longest) for number, n, longest in rows}
