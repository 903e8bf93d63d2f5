"""Rules: a template over event types, with the conditions that its author put on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from sagacity.judge.counts import CHOICES, COUNTS, POSITIONS
from sagacity.judge.legs import LEGS, Asked, Leg, Where
from sagacity.judge.outcome import Outcome
from sagacity.judge.trace import Place, Trace
from sagacity.workflow.conditions.condition import Aggregate, Attribute, Expression
from sagacity.workflow.conditions.evaluate import is_true
from sagacity.workflow.conditions.parser import parse_when, parse_where
from sagacity.workflow.model import Rule, Workflow
from sagacity.workflow.trace import Value

__all__ = ["ConditionedRule", "judge_rule", "with_conditions"]


class ConditionedRule(msgspec.Struct, frozen=True):
    """A rule with its conditions parsed: `when` for each event type that it filters, empty where it has none."""

    rule: Rule
    when: Mapping[str, Expression]
    where: Expression | None

    def passing(self, trace: Trace, event_type: str) -> Sequence[Place]:
        """The events of a type for which `when` is true."""
        places = trace.of(event_type)
        if event_type not in self.when:
            return places
        return [place for place in places if _is_true(self.when[event_type], {"self": place})]

    def belonging(self, leg: Leg) -> Where:
        """Whether an activation and a target belong together: `where`, with the two in the template's places a and b."""
        where = self.where
        if where is None:
            return lambda _e, _t: True
        if leg.of == "a":
            return lambda e, t: _is_true(where, {"a": e, "b": t})
        return lambda e, t: _is_true(where, {"a": t, "b": e})


def with_conditions(workflow: Workflow, rule: Rule) -> ConditionedRule:
    """The rule, ready to be judged. Raises ConditionError where a condition cannot be read."""
    legs = LEGS.get(rule.template)
    filtered = rule.events if legs is None else [rule.events["ab".index(leg.of)] for leg in legs]
    when = {} if rule.when is None else {each: parse_when(rule.when, workflow, each) for each in filtered}
    where = None if rule.where is None else parse_where(rule.where, workflow, *rule.events)
    return ConditionedRule(rule, when, where)


def judge_rule(conditioned: ConditionedRule, trace: Trace) -> list[Outcome]:
    """One outcome for each activation of each leg; for counts, positions and choices the one of the case."""
    rule = conditioned.rule
    if rule.template in LEGS:
        return [outcome for leg in LEGS[rule.template] for outcome in _asked(conditioned, leg, trace).outcomes()]
    a, *b = (conditioned.passing(trace, event_type) for event_type in rule.events)
    if rule.template in COUNTS:
        return [COUNTS[rule.template](trace, a, rule.n)]
    if rule.template in POSITIONS:
        return [POSITIONS[rule.template](trace, a)]
    return [CHOICES[rule.template](trace, a, *b)]


def _asked(conditioned: ConditionedRule, leg: Leg, trace: Trace) -> Asked:
    a, b = conditioned.rule.events
    activated, target = (a, b) if leg.of == "a" else (b, a)
    activations = conditioned.passing(trace, activated)
    return Asked(leg, trace, activations, target, conditioned.belonging(leg), conditioned.rule.within)


def _is_true(condition: Expression, places: Mapping[str, Place]) -> bool:
    def lookup(node: Attribute | Aggregate) -> tuple[Value, str | None]:
        assert isinstance(node, Attribute), "the parser admits aggregates into asserts alone"
        place = places[node.place]
        return place.value(node.name), place.currency(node.name) if node.currency else None

    return is_true(condition, lookup)
