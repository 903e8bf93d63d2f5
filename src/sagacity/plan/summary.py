"""What `screened` and `outcomes` say together: per case, per expectation, and finding by finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlglot import exp

from sagacity.plan.columns import attribute_columns
from sagacity.plan.examined import content_order
from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree, column, fill, literal, union_all
from sagacity.plan.plan import Plan
from sagacity.workflow.model import Severity
from sagacity.workflow.words.naming import names, owner_of

__all__ = ["SEVERITIES", "WaitingCases", "case_statuses", "cases", "findings", "tallies", "told_cases", "waiting_cases"]

SEVERITIES: tuple[Severity, ...] = ("critical", "error", "warning", "info")
"""Worst first."""


def cases() -> Tree:
    """One row a case: `case_id`, `status` (complete, open, violated), `ended`, `findings`."""
    return fill(
        """SELECT case_id, CASE WHEN ended THEN 'complete' ELSE 'open' END AS status, ended, CAST(0 AS BIGINT) AS findings
           FROM screened WHERE clean
           UNION ALL
           SELECT x.case_id, CASE WHEN r.ended THEN 'complete' ELSE 'open' END AS status, r.ended,
                  CAST(0 AS BIGINT) AS findings
           FROM rescreened AS r JOIN examined AS x ON x.c = r.c WHERE r.clean
           UNION ALL
           SELECT x.case_id,
                  CASE WHEN COALESCE(o.state, 0) = 2 THEN 'violated'
                       WHEN COALESCE(o.state, 0) = 1 OR NOT s.ended THEN 'open' ELSE 'complete' END AS status,
                  s.ended, COALESCE(o.findings, 0) AS findings
           FROM examined AS x JOIN spans AS s ON s.c = x.c
           LEFT JOIN (SELECT c, MAX(state) AS state, COUNT(CASE WHEN state = 2 THEN 1 END) AS findings
                      FROM outcomes GROUP BY c) AS o ON o.c = x.c"""
    )


def told_cases() -> Tree:
    """Every case with its verdict, as it is written to files."""
    return fill('SELECT case_id AS "case", status, ended, findings FROM :cases AS cases ORDER BY case_id', cases=cases())


class WaitingCases(NamedTuple):
    """What a plan that is `waiting` says of each case, by what told of it: the first screen, the second, the exact part.

    Columns: those of `cases`, and `due`: the earliest instant at which as-of alone may change them; NULL where none can.
    """

    screened: Tree
    rescreened: Tree
    examined: Tree


def waiting_cases(facts: Facts) -> WaitingCases:
    """`cases` for a plan that is `waiting`. What has been due already is not waited for."""
    status = "CASE WHEN {0}ended AND {0}due IS NULL THEN 'complete' ELSE 'open' END AS status"
    nothing = "CAST(0 AS BIGINT) AS findings"
    return WaitingCases(
        fill(f"SELECT case_id, {status.format('')}, ended, {nothing}, due FROM screened WHERE clean"),
        fill(
            f"""SELECT x.case_id, {status.format("r.")}, r.ended, {nothing}, r.due
                FROM rescreened AS r JOIN examined AS x ON x.c = r.c WHERE r.clean"""
        ),
        fill(
            """SELECT case_id, CASE WHEN state = 2 THEN 'violated' WHEN state = 1 OR NOT ended OR due IS NOT NULL THEN 'open'
                                    ELSE 'complete' END AS status,
                      ended, findings, due
               FROM (SELECT x.case_id, COALESCE(o.state, 0) AS state, s.ended, COALESCE(o.findings, 0) AS findings,
                            LEAST(o.due, r.due, CASE WHEN NOT s.ended THEN s.finish END) AS due
                     FROM examined AS x JOIN spans AS s ON s.c = x.c JOIN doubtful AS r ON r.c = x.c
                     LEFT JOIN (SELECT c, MAX(state) AS state, COUNT(CASE WHEN state = 2 THEN 1 END) AS findings,
                                       MIN(CASE WHEN state = 1 AND NOT :over THEN at END) AS due
                                FROM outcomes GROUP BY c) AS o ON o.c = x.c) AS judged""",
            over=facts.due_by(column("at")),
        ),
    )


def case_statuses() -> Tree:
    """How many cases have each status: `status`, `n`."""
    return fill("SELECT status, COUNT(*) AS n FROM :cases AS cases GROUP BY status", cases=cases())


def tallies(plan: Plan) -> Tree:
    """One row for each expectation that a case is judged by: `x`, cases by verdict, activations by outcome."""
    first, second = plan.screens
    cleared = _settled("screened", (column("clean"),) * len(first.settled), first.activations)
    settled = _settled("rescreened", second.settled, second.activations)
    query = fill(
        """SELECT r.x, CAST(r.n - r.v + COALESCE(o.satisfied, 0) AS BIGINT) AS satisfied,
                  CAST(r.v + r.rest - COALESCE(o.judged, 0) AS BIGINT) AS vacuous,
                  COALESCE(o.pending, 0) AS pending, COALESCE(o.violated, 0) AS violated,
                  CAST(r.k + COALESCE(o.activations, 0) AS BIGINT) AS activations,
                  CAST(r.k + COALESCE(o.fulfilled, 0) AS BIGINT) AS fulfilled,
                  CAST(COALESCE(o.waiting, 0) AS BIGINT) AS waiting, CAST(COALESCE(o.findings, 0) AS BIGINT) AS findings
           FROM (SELECT x, SUM(n) AS n, SUM(v) AS v, SUM(k) AS k, SUM(rest) AS rest
                 FROM (SELECT x, n, v, k, 0 AS rest FROM :cleared AS cleared
                       UNION ALL SELECT x, n, v, k, cases - n AS rest FROM :settled AS settled) AS told
                 GROUP BY x) AS r
           LEFT JOIN (SELECT x, COUNT(*) AS judged, COUNT(CASE WHEN state = 0 THEN 1 END) AS satisfied,
                             COUNT(CASE WHEN state = 1 THEN 1 END) AS pending,
                             COUNT(CASE WHEN state = 2 THEN 1 END) AS violated, SUM(n) AS activations,
                             SUM(fulfilled) AS fulfilled, SUM(waiting) AS waiting, SUM(findings) AS findings
                      FROM (SELECT c, x, MAX(state) AS state, SUM(n) AS n,
                                   SUM(CASE WHEN state = 0 THEN n ELSE 0 END) AS fulfilled,
                                   SUM(CASE WHEN state = 1 THEN n ELSE 0 END) AS waiting,
                                   SUM(CASE WHEN state = 2 THEN n ELSE 0 END) AS findings
                            FROM outcomes GROUP BY c, x) AS per_case
                      GROUP BY x) AS o ON o.x = r.x
           ORDER BY r.x""",
        cleared=cleared,
        settled=settled,
    )
    return query


def _settled(cases: str, settled: Sequence[Tree], activations: Sequence[Tree]) -> Tree:
    """What a screen says, added up: for each expectation `x` all `cases`, the `n` of which it is settled, `v` of these
    vacuous, with `k` activations. What expectations share is added up once."""
    sums: dict[str, Tree] = {"cases": fill("COUNT(*)")}
    known: dict[str, str] = {}

    def summed(text: str, **values: Tree) -> Tree:
        tree = fill(text, **values)
        name = known.setdefault(tree.sql("duckdb"), f"s{len(known)}")
        sums.setdefault(name, tree)
        return column(name)

    told: dict[str, list[Tree]] = {name: [] for name in ("x", "n", "v", "k")}
    for x, (done, number) in enumerate(zip(settled, activations, strict=True)):
        told["x"].append(literal(x))
        told["n"].append(summed("COUNT(CASE WHEN :done THEN 1 END)", done=done))
        told["v"].append(summed("COUNT(CASE WHEN :done AND :number = 0 THEN 1 END)", done=done, number=number))
        told["k"].append(
            summed("CAST(COALESCE(SUM(CASE WHEN :done THEN :number END), 0) AS BIGINT)", done=done, number=number)
        )
    added = exp.select(*(exp.alias_(tree, name) for name, tree in sums.items()), copy=False).from_(cases)
    # one row of lists made into many: a union with a branch for each of a thousand expectations takes long to plan
    rows = [exp.alias_(fill("UNNEST(:told)", told=exp.Array(expressions=of_all)), name) for name, of_all in told.items()]
    return exp.select("cases", *rows, copy=False).from_(added.subquery("sums", copy=False), copy=False)


def findings(facts: Facts) -> Tree:
    """One row a finding, with the fields of `sagacity.reconcile.result.Finding`, `x` and the `rank` of its severity.

    The id is the first 20 hexadecimal digits of the SHA-256 of workflow, case, expectation and activation: its type, its
    name, and its leg, since an event of a rule over one type may fail in both.
    """
    rules = _constants(
        ("x", "expectation", "severity", "rank", "owner"),
        [
            (x, name, expectation.severity, SEVERITIES.index(expectation.severity), owner_of(facts.workflow, expectation))
            for x, (name, expectation) in enumerate(zip(names(facts.workflow), facts.audited, strict=True))
        ]
        or [(-1, "", "", 0, None)],
    )
    return fill(
        """SELECT SUBSTRING(SHA256(CONCAT_WS(CHR(31), :workflow, f.case_id, f.expectation,
                                             COALESCE(f.type, ''), COALESCE(f.activation, ''), f.leg)), 1, 20) AS id,
                  f.case_id, f.x, f.expectation, f.kind, f.severity, f.rank, f.owner, f.since, f.type, f.time,
                  f.activation
           FROM (SELECT x.case_id, o.x, o.leg, u.expectation, o.kind, u.severity, u.rank, CAST(u.owner AS VARCHAR) AS owner,
                        o.at AS since,
                        COALESCE(e.other, t.name) AS type, COALESCE(e.time, o.label_time) AS time,
                        COALESCE(e.name, o.label) AS activation
                 FROM outcomes AS o JOIN examined AS x ON x.c = o.c JOIN :rules AS u ON u.x = o.x
                 LEFT JOIN :named AS e ON e.c = o.c AND e.r = o.r
                 LEFT JOIN :types AS t ON t.type = e.type
                 WHERE o.state = 2) AS f""",
        workflow=facts.workflow.name,
        rules=rules,
        named=_named(facts),
        types=_types(facts),
    )


def _types(facts: Facts) -> Tree:
    return _constants(("type", "name"), [(number, name) for name, number in facts.number.items()])


def _constants(columns: tuple[str, ...], rows: Sequence[tuple[str | int | None, ...]]) -> Tree:
    """A query for constant rows."""
    return exp.select("*").from_(exp.values(rows, alias="constants", columns=columns), copy=False)


def _named(facts: Facts) -> Tree:
    """The events that findings name, each with its name: the id or, without one, what tells it from its like."""
    order = exp.Order(expressions=content_order(facts))
    alike = [column(name) for name in ("c", "type", "other", "time", "seq")]
    nth = exp.Window(this=exp.RowNumber(), partition_by=alike, order=order if order.expressions else None)
    attributes = [column(it.name) for it in attribute_columns(facts.workflow)]
    fixed = [column(name) for name in ("c", "r", "type", "other", "time", "seq", "id")]
    both = exp.union(
        exp.select(*fixed, *attributes).from_("trace"), exp.select(*fixed, *attributes).from_("strays"), distinct=False
    )
    wanted = "(c, r) IN (SELECT c, r FROM outcomes WHERE state = 2 AND r IS NOT NULL)"
    with_id = fill(
        f"SELECT c, r, type, other, time, id AS name FROM :both AS events WHERE id IS NOT NULL AND {wanted}", both=both
    )
    without = fill(
        f"""SELECT c, r, type, other, time, CAST(time AS VARCHAR) || '/' || CAST(seq AS VARCHAR) ||
                   CASE WHEN nth > 1 THEN '#' || CAST(nth AS VARCHAR) ELSE '' END AS name
            FROM (SELECT c, r, type, other, time, seq, :nth AS nth FROM :both AS events WHERE id IS NULL) AS numbered
            WHERE {wanted}""",
        both=both,
        nth=nth,
    )
    return union_all([with_id, without])
