"""What a plan says of every single case, read back from the engine that it ran in."""

from __future__ import annotations

from collections import defaultdict

from sqlglot import exp

from sagacity.ledger.engine import Engine
from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree, column, fill
from sagacity.plan.outcomes import FULFILLED, PENDING
from sagacity.plan.plan import Plan
from sagacity.plan.summary import findings
from sagacity.workflow.verdict import CaseVerdict, Verdict, Violation
from sagacity.workflow.words.naming import names

__all__ = ["case_verdicts"]

_REDELIVERED = "(SELECT c, CAST(SUM(copies - 1) AS BIGINT) AS redelivered FROM repeats GROUP BY c)"


def case_verdicts(engine: Engine, plan: Plan) -> dict[str, CaseVerdict]:
    """The verdict on every case, as the reference judge would give it. For small logs: everything is read into memory."""
    called = names(plan.workflow)
    verdicts: dict[str, CaseVerdict] = {}
    settled: dict[str, tuple[int | None, ...]] = {}
    for query in _screens(plan):
        for case, clean, ended, redelivered, *activations in engine.rows(query):
            settled[case] = tuple(activations)
            if clean:
                met = tuple(Verdict(name, n, n, 0) for name, n in zip(called, activations, strict=True))
                verdicts[case] = CaseVerdict(met, ended, 0, 0, redelivered)
    tallies: defaultdict[tuple[str, int], dict[int, tuple[int, int | None]]] = defaultdict(dict)
    query = fill(
        """SELECT x.case_id, o.x, o.state, CAST(SUM(o.n) AS BIGINT) AS n, MIN(o.at) AS at
           FROM outcomes AS o JOIN examined AS x ON x.c = o.c WHERE o.state < 2 GROUP BY x.case_id, o.x, o.state"""
    )
    for case, x, state, n, at in engine.rows(query):
        tallies[case, x][state] = (n, at)
    violations: defaultdict[tuple[str, int], list[Violation]] = defaultdict(list)
    found = findings(Facts(plan.workflow, plan.as_of))
    query = fill("SELECT case_id, x, kind, since, type, time, activation FROM :found AS f", found=found)
    for case, x, *fields in engine.rows(query):
        violations[case, x].append(Violation(*fields))
    spans = fill(
        f"""SELECT x.case_id, s.ended, s.start, s.finish, COALESCE(d.redelivered, 0) AS redelivered
            FROM examined AS x JOIN spans AS s ON s.c = x.c LEFT JOIN {_REDELIVERED} AS d ON d.c = x.c"""
    )
    for case, ended, start, finish, redelivered in engine.rows(spans):
        examined = []
        for x, name in enumerate(called):
            fulfilled, _ = tallies[case, x].get(FULFILLED, (settled[case][x] or 0, None))
            pending, due = tallies[case, x].get(PENDING, (0, None))
            against = tuple(sorted(violations[case, x], key=_order))
            examined.append(Verdict(name, fulfilled + pending + len(against), fulfilled, pending, against, due))
        verdicts[case] = CaseVerdict(tuple(examined), ended, start, finish, redelivered)
    return verdicts


def _screens(plan: Plan) -> tuple[Tree, Tree]:
    """What the screens say: the case, whether it is clean, whether it ended, redeliveries, activations by expectation."""
    first, second = plan.screens
    cleared = [fill("case_id"), fill("TRUE"), column("ended"), fill("0"), *(number.copy() for number in first.activations)]
    told = [
        fill("CASE WHEN :done THEN :n END", done=done, n=n)
        for done, n in zip(second.settled, second.activations, strict=True)
    ]
    again = [column("case_id"), column("clean"), column("ended"), fill("COALESCE(redelivered, 0)"), *told]
    source = fill(
        f"""SELECT x.case_id, r.*, d.redelivered FROM rescreened AS r JOIN examined AS x ON x.c = r.c
            LEFT JOIN {_REDELIVERED} AS d ON d.c = r.c"""
    )
    return (
        exp.select(*_placed(cleared)).from_("screened").where("clean"),
        exp.select(*_placed(again)).from_(exp.alias_(exp.Subquery(this=source), "r", table=True)),
    )


def _placed(values: list[Tree]) -> list[Tree]:
    return [exp.alias_(value, f"v{place}") for place, value in enumerate(values)]


def _order(violation: Violation) -> tuple[object, ...]:
    """By the activation; those of the case as a whole come first."""
    named = (violation.time, violation.type, violation.activation)
    return (*map(_absent_first, named), violation.kind, violation.since)


def _absent_first(value: int | str | None) -> tuple[bool, int | str]:
    return (False, 0) if value is None else (True, value)
