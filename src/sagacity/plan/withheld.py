"""Violations that a source which is behind might still mend: pending, for as long as it is."""

from __future__ import annotations

from collections.abc import Mapping

from sagacity.plan.fill import Tree, fill, union_all
from sagacity.workflow.awaited import Awaited

__all__ = ["BETWEEN", "withheld"]

BETWEEN = "\x1f"
"""Stands between the names of sources: the control character that separates units."""


def withheld(awaited: Awaited, behind: Mapping[str, int]) -> Tree | None:
    """A query over `outcomes`, with a column `behind` besides: the sources, joined by BETWEEN, for which a row that would
    be violated is pending instead; NULL elsewhere. None where no expectation waits for any of them.

    `behind` has, for each source that is behind, the instant (microseconds UTC) up to which it has been heard.
    """
    rows = []
    for (x, leg), mendable in awaited.items():
        sources = [source for source in mendable.sources if source in behind]
        for kind in sorted(mendable.kinds) if sources else []:
            rows.append(
                fill(
                    "SELECT CAST(:x AS INTEGER) AS x, CAST(:leg AS INTEGER) AS leg, :named AS kind,"
                    " CAST(:reached AS BIGINT) AS reached, :sources AS sources",
                    x=x,
                    leg=leg,
                    named=kind,
                    reached=min(behind[source] for source in sources),
                    sources=BETWEEN.join(sources),
                )
            )
    if not rows:
        return None
    return fill(
        """SELECT o.c, o.x, CASE WHEN h.x IS NULL THEN o.state ELSE 1 END AS state, o.n,
                  CASE WHEN h.x IS NULL THEN o.r END AS r, CASE WHEN h.x IS NULL THEN o.kind END AS kind, o.at,
                  o.label, o.label_time, o.leg, h.sources AS behind
           FROM outcomes AS o LEFT JOIN :rows AS h
           ON h.x = o.x AND h.leg = o.leg AND h.kind = o.kind AND o.state = 2 AND o.at > h.reached""",
        rows=union_all(rows),
    )
