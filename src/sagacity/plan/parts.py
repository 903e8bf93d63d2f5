"""What `screened` and `outcomes` say together of parts of the cases, such as those that began in a month."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from sagacity.plan.fill import Tree, column, fill, literal
from sagacity.plan.plan import Plan

__all__ = ["tallies_by"]


def tallies_by(plan: Plan, relation: str, part: str) -> Tree:
    """In how many cases of each part each expectation is satisfied, and in how many violated: `x`, `part`, `satisfied`,
    `violated`. A relation says which part a case is of: one row a case, `case_id` and the column `part`. Where there is
    neither there may be no row."""
    first, second = plan.screens
    parts = fill(f"SELECT case_id, {part} AS part_of_cases FROM {relation}")
    examined = fill(
        f"SELECT x.c, p.{part} AS part_of_cases FROM examined AS x JOIN {relation} AS p ON p.case_id = x.case_id"
    )
    cleared = _satisfied("screened", "case_id", parts, (column("clean"),) * len(first.settled), first.activations)
    settled = _satisfied("rescreened", "c", examined, second.settled, second.activations)
    return fill(
        """SELECT x, part_of_cases AS part, CAST(SUM(satisfied) AS BIGINT) AS satisfied,
                  CAST(SUM(violated) AS BIGINT) AS violated
           FROM (SELECT x, part_of_cases, n AS satisfied, 0 AS violated FROM :cleared AS cleared
                 UNION ALL SELECT x, part_of_cases, n AS satisfied, 0 AS violated FROM :settled AS settled
                 UNION ALL SELECT o.x, p.part_of_cases, COUNT(CASE WHEN o.state = 0 THEN 1 END) AS satisfied,
                                  COUNT(CASE WHEN o.state = 2 THEN 1 END) AS violated
                           FROM (SELECT c, x, MAX(state) AS state FROM outcomes GROUP BY c, x) AS o
                           JOIN :examined AS p ON p.c = o.c GROUP BY o.x, p.part_of_cases) AS told
           GROUP BY x, part_of_cases""",
        cleared=cleared,
        settled=settled,
        examined=examined,
    )


def _satisfied(cases: str, key: str, parts: Tree, settled: Sequence[Tree], activations: Sequence[Tree]) -> Tree:
    """What a screen says, added up by part: for each expectation `x` the `n` cases of which it is settled, and activated.
    What expectations share is added up once."""
    sums: dict[str, Tree] = {}
    known: dict[str, str] = {}
    told: dict[str, list[Tree]] = {"x": [], "n": []}
    for x, (done, number) in enumerate(zip(settled, activations, strict=True)):
        tree = fill("COUNT(CASE WHEN :done AND :number > 0 THEN 1 END)", done=done, number=number)
        name = known.setdefault(tree.sql("duckdb"), f"s{len(known)}")
        sums.setdefault(name, tree)
        told["x"].append(literal(x))
        told["n"].append(column(name))
    if not told["x"]:
        return fill("SELECT 0 AS x, 0 AS part_of_cases, 0 AS n WHERE FALSE")
    joined = fill(f"SELECT * FROM {cases} JOIN :parts AS parts USING ({key})", parts=parts)
    assert isinstance(joined, exp.Query)
    added = (
        exp.select("part_of_cases", *(exp.alias_(tree, name) for name, tree in sums.items()), copy=False)
        .from_(joined.subquery("told_by_part", copy=False), copy=False)
        .group_by("part_of_cases", copy=False)
    )
    rows = [exp.alias_(fill("UNNEST(:told)", told=exp.Array(expressions=of_all)), name) for name, of_all in told.items()]
    return exp.select("part_of_cases", *rows, copy=False).from_(added.subquery("sums", copy=False), copy=False)
