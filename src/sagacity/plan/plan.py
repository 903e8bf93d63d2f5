"""A workflow compiled: named queries over the relation of `sagacity.plan.columns`, to be run in order.

`events` (made by the ledger) → `screened` (one row a case) → the relations of `sagacity.plan.examined` → `outcomes`.
The verdict on a case is then one query over `screened` and `outcomes`: see `sagacity.plan.summary`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

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
from sagacity.plan.screen import screen, second_screen, unscreened
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
    """The steps for one workflow and as-of instant (microseconds UTC; None where the steps hold it as a parameter)."""

    workflow: Workflow
    as_of: int | None
    steps: tuple[Step, ...]


def compile_plan(workflow: Workflow, as_of: int | None, *, screened: bool = True) -> Plan:
    """The plan of a workflow. Without the screens every case is examined: slower, and the same verdicts."""
    facts = Facts(workflow, as_of)
    first = screen(facts)
    second = second_screen(facts) if len(facts.audited) <= _RESCREENED else unscreened(facts)
    if not screened:
        first, second = (fill("SELECT * REPLACE (FALSE AS clean) FROM :it AS it", it=it) for it in (first, second))
    steps = [Step("screened", first, True, "screening every case")]
    steps += [Step(name, query, True, "preparing traces") for name, query in relations(facts, second)]
    queries = list(_outcomes(facts)) or [no_outcomes()]
    for start in range(0, len(queries), _TOGETHER):
        chunk = union_all(queries[start : start + _TOGETHER])
        steps.append(Step("outcomes", chunk, start == 0, "judging the examined cases"))
    return Plan(workflow, as_of, tuple(steps))


def _outcomes(facts: Facts) -> Iterator[Tree]:
    for x, expectation in enumerate(facts.audited):
        match expectation:
            case Rule():
                yield from _rule(facts, x, expectation)
            case Matches():
                yield from matches_outcomes(facts, x, expectation)
            case Assert():
                yield assert_outcomes(facts, x, expectation)
            case Implied():
                yield implied_outcomes(facts, x, expectation)


def _rule(facts: Facts, x: int, rule: Rule) -> list[Tree]:
    match TEMPLATES[rule.template].shape:
        case Count() as shape:
            return [count_outcomes(facts, x, rule, shape)]
        case Position() as shape:
            return [position_outcomes(facts, x, rule, shape)]
        case Choice() as shape:
            return [choice_outcomes(facts, x, rule, shape)]
        case Legs(legs=legs):
            return [leg_outcomes(facts, x, rule, leg) for leg in legs]
