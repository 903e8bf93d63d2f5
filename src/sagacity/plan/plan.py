"""A workflow compiled: named queries over the relation of `sagacity.plan.columns`, to be run in order.

`events` (made by the ledger) → `screened` (one row a case) → the relations of `sagacity.plan.examined` → `outcomes`, of
those expectations that the screens did not settle everywhere. The verdict on a case is then one query over `screened`,
`rescreened` and `outcomes`: see `sagacity.plan.summary`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec
from sqlglot import exp

from sagacity.plan.cases import (
    assert_outcomes,
    choice_outcomes,
    count_outcomes,
    implied_outcomes,
    position_outcomes,
)
from sagacity.plan.examined import relations
from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree, fill, union_all
from sagacity.plan.legs import leg_outcomes
from sagacity.plan.matching import matches_outcomes
from sagacity.plan.outcomes import no_outcomes
from sagacity.plan.screen import Screen, screen, second_screen, unscreened
from sagacity.workflow.model import Assert, Implied, Matches, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Choice, Count, Legs, Position

__all__ = ["Plan", "Step", "compile_plan"]

_TOGETHER = 16
"""Expectations whose outcomes are asked for in one query: fewer round trips, without queries that grow out of hand."""

_RESCREENED = 150
"""With more expectations than this the second screen takes longer to plan than it saves."""


class Step(msgspec.Struct, frozen=True):
    """A relation to make (`create`) or to add rows to. `what` says in a few words what is being done."""

    relation: str
    query: Tree
    create: bool
    what: str


class Plan(msgspec.Struct, frozen=True):
    """The steps for one workflow and as-of instant (microseconds UTC; None where the steps hold it as a
    parameter), and what the two screens tell.

    After `steps` come those of `examination`, for the expectations that `undecided` finds.
    """

    workflow: Workflow
    as_of: int | None
    steps: tuple[Step, ...]
    screens: tuple[Screen, Screen]

    def undecided(self) -> Tree:
        """One row, with a number for each expectation: of how many cases the screens did not settle it."""
        numbers = [
            exp.alias_(fill("COUNT(CASE WHEN NOT :settled THEN 1 END)", settled=settled), f"n{x}")
            for x, settled in enumerate(self.screens[1].settled)
        ]
        return exp.select(*numbers or [fill("COUNT(NULL)")], copy=False).from_("doubtful")

    def occurring(self) -> Tree:
        """The numbers of the event types that occur in `trace`, one a row."""
        return fill("SELECT DISTINCT type FROM trace")

    def examination(self, undecided: Collection[int], types: Collection[int]) -> Iterator[Step]:
        """The steps that judge these expectations, in the cases of which they are not settled. `types` are the numbers of
        the event types that occur in `trace`."""
        facts = Facts(self.workflow, self.as_of)
        settled = self.screens[1].settled
        queries = [_where_unsettled(query, settled[x]) for x in sorted(undecided) for query in _outcomes(facts, x, types)]
        queries = queries or [no_outcomes()]
        for start in range(0, len(queries), _TOGETHER):
            chunk = union_all(queries[start : start + _TOGETHER])
            yield Step("outcomes", chunk, start == 0, "judging the examined cases")


def compile_plan(workflow: Workflow, as_of: int | None, *, screened: bool = True, waiting: bool = False) -> Plan:
    """The plan of a workflow. Without the screens every case is examined: slower, and the same verdicts.

    With `waiting` the screens also clear the cases in which something is pending and nothing violated: they serve where only
    the status of a case, its findings and its next due time are asked for, not what became of each expectation.
    """
    facts = Facts(workflow, as_of)
    twice = len(facts.audited) <= _RESCREENED
    first = screen(facts, waiting=waiting, apart=waiting and twice)
    second = second_screen(facts, waiting=waiting) if twice else unscreened(facts)
    if not screened:
        for told in first.query.selects:
            if told.alias == "clean":
                told.set("this", exp.false())
        second = unscreened(facts)
    steps = [Step("screened", first.query, True, "screening every case")]
    steps += [Step(name, query, True, "preparing traces") for name, query in relations(facts, second.query, waiting=waiting)]
    return Plan(workflow, as_of, tuple(steps), (first, second))


def _where_unsettled(query: Tree, settled: Tree) -> Tree:
    """The query over those cases only of which the expectation is not settled."""
    if settled == exp.false():
        return query
    for table in list(query.find_all(exp.Table)):
        if table.name in ("trace", "spans", "strays"):
            rest = fill(
                "SELECT * FROM :table WHERE c IN (SELECT c FROM doubtful WHERE NOT :settled)",
                table=exp.to_table(table.name),
                settled=settled,
            )
            table.replace(exp.alias_(exp.Subquery(this=rest), table.alias_or_name, table=True))
    return query


def _outcomes(facts: Facts, x: int, types: Collection[int]) -> list[Tree]:
    match facts.audited[x]:
        case Rule() as rule:
            return _rule(facts, x, rule, types)
        case Matches() as matches:
            return matches_outcomes(facts, x, matches)
        case Assert() as asserted:
            return [assert_outcomes(facts, x, asserted)]
        case Implied() as implied:
            return [implied_outcomes(facts, x, implied)]


def _rule(facts: Facts, x: int, rule: Rule, types: Collection[int]) -> list[Tree]:
    match TEMPLATES[rule.template].shape:
        case Count() as shape:
            return [count_outcomes(facts, x, rule, shape)]
        case Position() as shape:
            return [position_outcomes(facts, x, rule, shape)]
        case Choice() as shape:
            return [choice_outcomes(facts, x, rule, shape)]
        case Legs(legs=legs):
            occurring = (leg for leg in legs if facts.number[rule.events[leg.activation]] in types)
            return [leg_outcomes(facts, x, rule, leg) for leg in occurring]
