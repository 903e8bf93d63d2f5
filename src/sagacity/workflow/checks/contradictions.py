"""Expectations that can never hold together.

What is found here is certain only as far as it goes: rules with a `when` are passed over, since they may apply to
nothing, and events of the very same time and position are left out of account.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from sagacity.workflow.model import Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Choice, Count, Leg, Legs, Position
from sagacity.workflow.words.naming import title

__all__ = ["contradictions"]

Found: TypeAlias = Iterator[tuple[int | None, str, str]]
"""The number of the expectation that completes a contradiction (None: the workflow's `begins`), a message, a hint."""

_SHOWN = 6
_HINT = "one of the two is probably not what you mean"


class _Asked(msgspec.Struct, frozen=True):
    """One leg of a rule, with its event types."""

    index: int
    rule: Rule
    leg: Leg
    activation: str
    target: str


def contradictions(workflow: Workflow) -> Found:
    """Each contradiction among the rules of a workflow, once."""
    rules = [(index, rule) for index, rule in enumerate(workflow.expectations) if isinstance(rule, Rule) and _sound(rule)]
    asked = [each for index, rule in rules if rule.when is None for each in _legs(index, rule)]
    least, most = _bounds(rules)
    yield from _counts(least, most)
    yield from _positions(workflow, rules)
    yield from _chains(asked)
    yield from _negations(asked)
    yield from _absent(asked, least, most)
    yield from _exclusions(rules, least)
    yield from _cycles(asked, "before", "earlier", "first")
    yield from _cycles(asked, "after", "later", "last")


def _sound(rule: Rule) -> bool:
    template = TEMPLATES.get(rule.template)
    return template is not None and len(rule.events) == template.arity


def _legs(index: int, rule: Rule) -> Iterator[_Asked]:
    shape = TEMPLATES[rule.template].shape
    for leg in shape.legs if isinstance(shape, Legs) else ():
        yield _Asked(index, rule, leg, rule.events[leg.activation], rule.events[leg.target])


_Bounds: TypeAlias = dict[str, tuple[int, int, Rule]]
"""By event type: the bound on its number, and the rule that sets it."""


def _bounds(rules: list[tuple[int, Rule]]) -> tuple[_Bounds, _Bounds]:
    least: _Bounds = {}
    most: _Bounds = {}
    for index, rule in rules:
        shape, event = TEMPLATES[rule.template].shape, rule.events[0]
        if not isinstance(shape, Count):
            continue
        if shape.at_least and (event not in least or rule.n > least[event][0]):
            least[event] = rule.n, index, rule
        bound = rule.n if shape.at_most == "n" else rule.n - 1
        if shape.at_most and rule.when is None and (event not in most or bound < most[event][0]):
            most[event] = bound, index, rule
    return least, most


def _counts(least: _Bounds, most: _Bounds) -> Found:
    for event, (bound, index, rule) in least.items():
        if event in most and most[event][0] < bound:
            _, other, upper = most[event]
            yield max(index, other), f"{_said(rule)} and {_said(upper)} can never both hold", _HINT


def _positions(workflow: Workflow, rules: list[tuple[int, Rule]]) -> Found:
    first: dict[str, Rule] = {}
    for index, rule in rules:
        shape = TEMPLATES[rule.template].shape
        if not isinstance(shape, Position):
            continue
        earlier = first.setdefault(shape.which, rule)
        if earlier.events != rule.events:
            yield index, f"{_said(earlier)} and {_said(rule)} can never both hold", _HINT
        elif shape.which == "first" and workflow.begins and rule.events[0] not in workflow.begins:
            begins = " or ".join(workflow.begins)
            yield index, f"{_said(rule)} contradicts begins: the first event is {begins}", _HINT


def _chains(asked: list[_Asked]) -> Found:
    beside: dict[tuple[str, str], _Asked] = {}
    for each in asked:
        if each.leg.reach != "chain" or each.leg.negated:
            continue
        other = beside.setdefault((each.activation, each.leg.side), each)
        if other.target != each.target:
            yield each.index, f"{_said(other.rule)} and {_said(each.rule)} fail wherever {each.activation} occurs", _HINT


def _negations(asked: list[_Asked]) -> Found:
    """What asks for a target that another rule denies."""
    denied = {
        (each.activation, each.target, each.leg.side): each
        for each in asked
        if each.leg.negated and each.leg.reach == "any" and each.rule.where is None and each.rule.within is None
    }
    for each in asked:
        if each.leg.negated:
            continue
        for side in (each.leg.side, "either"):
            if (other := denied.get((each.activation, each.target, side))) is not None:
                message = f"{_said(each.rule)} and {_said(other.rule)} fail wherever {each.activation} occurs"
                yield max(each.index, other.index), message, _HINT
                break


def _absent(asked: list[_Asked], least: _Bounds, most: _Bounds) -> Found:
    for each in asked:
        never = each.target in most and most[each.target][0] == 0
        if never and not each.leg.negated and each.activation in least:
            _, index, rule = most[each.target]
            message = f"{_said(each.rule)} asks for {each.target}, and {_said(rule)} forbids it"
            yield max(each.index, index), message, _HINT


def _exclusions(rules: list[tuple[int, Rule]], least: _Bounds) -> Found:
    for index, rule in rules:
        shape = TEMPLATES[rule.template].shape
        exclusive = isinstance(shape, Choice) and shape.exclusive
        if rule.when is None and rule.where is None and rule.within is None:
            exclusive = exclusive or (rule.template == "not_co_existence" and len(set(rule.events)) == 2)
        if exclusive and rule.when is None and all(event in least for event in rule.events):
            both = " and ".join(rule.events)
            yield index, f"{_said(rule)} can never hold, since {both} must both occur", _HINT


def _cycles(asked: list[_Asked], side: str, direction: str, outermost: str) -> Found:
    """Circles of event types each of which asks for one of the next on the same side: the outermost asks in vain."""
    asks: defaultdict[str, dict[str, _Asked]] = defaultdict(dict)
    for each in asked:
        if each.leg.side == side and not each.leg.negated:
            asks[each.activation].setdefault(each.target, each)
    done: set[str] = set()
    for start in list(asks):
        circle = _circle(asks, start, done)
        if circle:
            index = max(each.index for each in circle)
            if len(circle) == 1:
                message = (
                    f"{_said(circle[0].rule)} can never hold where {start} occurs: the {outermost} one has none {direction}"
                )
            else:
                said = ", ".join(_said(each.rule) for each in circle[:_SHOWN]) + (", ..." if len(circle) > _SHOWN else "")
                message = f"these go round in a circle, each event asking for another {direction}: {said}"
            yield index, message, "one of them is probably the wrong way round"


def _circle(asks: dict[str, dict[str, _Asked]], start: str, done: set[str]) -> list[_Asked]:
    """A circle that can be reached from `start` along what is not done yet; marks what it passes as done."""
    path: list[_Asked] = []
    on_path = {start: 0}
    stack = [iter(() if start in done else asks.get(start, {}).values())]
    current = [start]
    while stack:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
            name = current.pop()
            done.add(name)
            on_path.pop(name, None)
            if path:
                path.pop()
        elif step.target in on_path:
            circle = [*path[on_path[step.target] :], step]
            done.update(current)
            return circle
        elif step.target not in done:
            path.append(step)
            on_path[step.target] = len(path)
            current.append(step.target)
            stack.append(iter(asks.get(step.target, {}).values()))
    return []


def _said(rule: Rule) -> str:
    return rule.name or title(rule)
