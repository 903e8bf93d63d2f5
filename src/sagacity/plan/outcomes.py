"""The form in which every expectation says what became of its activations.

Rows of `outcomes`: `c` the case; `x` the number of the audited expectation; `state`; `n` how many activations the row
stands for (violated ones stand alone, the others are counted by case); `r` the activation's number in `trace` (negative:
in `strays`), NULL where the activation is no event; `kind`; `at`, the instant since which it is violated, or the earliest
at which what is pending falls due; `label` and `label_time`, the name and time of an activation that is no event; `leg`,
the leg of the expectation that it is about.
"""

from __future__ import annotations

from typing import Final

from sagacity.plan.fill import Tree, fill

__all__ = ["FULFILLED", "PENDING", "VIOLATED", "case_outcomes", "event_outcomes", "no_outcomes"]

FULFILLED: Final = 0
PENDING: Final = 1
VIOLATED: Final = 2


def no_outcomes() -> Tree:
    """The outcomes of a workflow that expects nothing."""
    return fill(
        """SELECT CAST(NULL AS BIGINT) AS c, CAST(NULL AS INTEGER) AS x, CAST(NULL AS INTEGER) AS state,
                  CAST(NULL AS BIGINT) AS n, CAST(NULL AS BIGINT) AS r, CAST(NULL AS VARCHAR) AS kind,
                  CAST(NULL AS BIGINT) AS at,
                  CAST(NULL AS VARCHAR) AS label, CAST(NULL AS BIGINT) AS label_time, 0 AS leg
           WHERE FALSE"""
    )


def event_outcomes(x: int, judged: Tree, *, leg: int = 0) -> Tree:
    """Outcomes from a query that yields `c`, `r`, `state`, `kind`, `at`, one row an activation."""
    return fill(
        """SELECT c, CAST(:x AS INTEGER) AS x, state, COUNT(*) AS n, CASE WHEN state = 2 THEN r END AS r,
                  CASE WHEN state = 2 THEN kind END AS kind, MIN(CASE WHEN state <> 0 THEN at END) AS at,
                  CAST(NULL AS VARCHAR) AS label, CAST(NULL AS BIGINT) AS label_time, CAST(:leg AS INTEGER) AS leg
           FROM :judged AS judged
           GROUP BY c, state, CASE WHEN state = 2 THEN r END, CASE WHEN state = 2 THEN kind END""",
        x=x,
        leg=leg,
        judged=judged,
    )


def case_outcomes(x: int, judged: Tree, *, label: bool = False) -> Tree:
    """Outcomes from a query that yields `c`, `state`, `kind`, `at` (and, if so told, `label` and `label_time`)."""
    named = "label, label_time" if label else "CAST(NULL AS VARCHAR) AS label, CAST(NULL AS BIGINT) AS label_time"
    return fill(
        f"""SELECT c, CAST(:x AS INTEGER) AS x, state, CAST(1 AS BIGINT) AS n, CAST(NULL AS BIGINT) AS r,
                   CASE WHEN state = 2 THEN kind END AS kind, CASE WHEN state <> 0 THEN at END AS at, {named}, 0 AS leg
            FROM :judged AS judged""",
        x=x,
        judged=judged,
    )
