"""Errors in what a workflow expects: templates, places, conditions, pairings."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from sagacity.workflow.checks.notes import Notes
from sagacity.workflow.conditions.condition import Expression
from sagacity.workflow.conditions.parser import parse_assert, parse_when, parse_where
from sagacity.workflow.model import Assert, Capture, Matches, Rule, Workflow
from sagacity.workflow.spelling import did_you_mean
from sagacity.workflow.templates import TEMPLATES, Choice, Legs, Position, Template

__all__ = ["check_expectations"]

_SEVERITIES = ("info", "warning", "error", "critical")
_CARDINALITIES = ("one_to_one", "one_to_many", "many_to_one")


def check_expectations(notes: Notes, workflow: Workflow) -> Mapping[str, Expression]:
    """Notes errors. Yields the conditions that parse, by their paths."""
    parsed: dict[str, Expression] = {}
    called: dict[str, int] = {}
    for index, expectation in enumerate(workflow.expectations):
        path = f"expectations[{index}]"
        if expectation.name is not None:
            _check_name(notes, path, expectation.name, called, index)
        if expectation.severity not in _SEVERITIES:
            notes.error(
                f"{path}.severity", f"there is no severity '{expectation.severity}'", f"write {', '.join(_SEVERITIES)}"
            )
        match expectation:
            case Rule():
                _check_rule(notes, workflow, path, expectation, parsed)
            case Matches():
                _check_matches(notes, workflow, path, expectation)
            case Assert():
                found = notes.parse(f"{path}.predicate", parse_assert, expectation.predicate, workflow)
                _keep(parsed, f"{path}.predicate", found)
    return parsed


def _keep(parsed: dict[str, Expression], path: str, found: Expression | None) -> None:
    if found is not None:
        parsed[path] = found


def _check_name(notes: Notes, path: str, name: str, called: dict[str, int], index: int) -> None:
    if not name.strip():
        notes.error(f"{path}.name", "the name is empty", "leave it out, or give it a value")
    elif name in called:
        hint = "verdicts are told apart by name: give this one another"
        notes.error(f"{path}.name", f"another expectation is called '{name}' already", hint)
    called[name] = index


def _check_rule(notes: Notes, workflow: Workflow, path: str, rule: Rule, parsed: dict[str, Expression]) -> None:
    template = TEMPLATES.get(rule.template)
    if template is None:
        near = did_you_mean(rule.template, TEMPLATES)
        hint = f"did you mean {near}?" if near else f"known are {', '.join(TEMPLATES)}"
        notes.error(f"{path}.template", f"there is no template '{rule.template}'", hint)
        return
    declared = _check_places(notes, workflow, path, rule, template)
    _check_number(notes, path, rule, template)
    if not template.activated:
        _check_unactivated(notes, path, rule, template)
    elif rule.within is not None and rule.within < 0:
        notes.error(f"{path}.within", "a window is not negative", "write a duration such as 15m")
    if not declared:
        return
    when, where = rule.when, rule.where
    if when is not None:
        for event in _activated(rule, template):
            found = notes.parse(f"{path}.when", parse_when, when, workflow, event)
            _keep(parsed, f"{path}.when", found)
            if found is None:
                break
    if where is not None and template.activated:
        found = notes.parse(f"{path}.where", parse_where, where, workflow, *rule.events)
        _keep(parsed, f"{path}.where", found)


def _activated(rule: Rule, template: Template) -> tuple[str, ...]:
    """The event types that `when` is a condition on."""
    if not isinstance(template.shape, Legs):
        return rule.events
    return tuple(dict.fromkeys(rule.events[leg.activation] for leg in template.shape.legs))


def _check_places(notes: Notes, workflow: Workflow, path: str, rule: Rule, template: Template) -> bool:
    if len(rule.events) != template.arity:
        wanted = "one event type" if template.arity == 1 else "two event types"
        example = f"{template.name}: {'A' if template.arity == 1 else '[A, B]'}"
        message = f"{template.name} takes {wanted}, and this has {len(rule.events)}"
        notes.error(f"{path}.events", message, f"write {example}")
        return False
    unknown = [place for place, name in enumerate(rule.events) if name not in workflow.events]
    for place in unknown:
        notes.unknown(f"{path}.events[{place}]", "event type", rule.events[place], workflow.events)
    return not unknown


def _check_number(notes: Notes, path: str, rule: Rule, template: Template) -> None:
    if not template.counts and rule.n != 1:
        counting = ", ".join(name for name, other in TEMPLATES.items() if other.counts)
        notes.error(f"{path}.n", f"{template.name} takes no n", f"{counting} do")
    elif rule.n < 1:
        hint = "write absence, with n: 1, for none at all" if rule.n == 0 else "n is at least 1"
        notes.error(f"{path}.n", f"n is {rule.n}, and must be at least 1", hint)


def _check_unactivated(notes: Notes, path: str, rule: Rule, template: Template) -> None:
    shape = template.shape
    if isinstance(shape, Position):
        instead = "say when it may come with response or precedence"
    elif isinstance(shape, Choice):
        instead = "use response, which counts from an event that starts the clock"
    else:
        instead = f"use response: [<the event that starts the clock>, {', '.join(rule.events)}]"
    if rule.within is not None:
        notes.error(f"{path}.within", f"{template.name} has no activation that within could count from", instead)
    if rule.where is not None:
        hint = "to choose which events count, use when; to compare two events, use response"
        notes.error(f"{path}.where", f"{template.name} has no two events that where could compare", hint)


def _check_matches(notes: Notes, workflow: Workflow, path: str, matches: Matches) -> None:
    if matches.cardinality not in _CARDINALITIES:
        notes.error(
            f"{path}.cardinality", f"there is no cardinality '{matches.cardinality}'", f"write {', '.join(_CARDINALITIES)}"
        )
    if matches.within is not None and matches.within < 0:
        notes.error(f"{path}.within", "a window is not negative", "write a duration such as 15m")
    _check_tolerance(notes, path, matches)
    sides = (("from", matches.from_), ("to", matches.to))
    unknown = [(side, name) for side, name in sides if name not in workflow.events]
    for side, name in unknown:
        notes.unknown(f"{path}.{side}", "event type", name, workflow.events)
    if unknown:
        return
    if matches.from_ == matches.to:
        notes.error(f"{path}.to", "from and to are the same event type", "name two event types that pair with each other")
    by = [
        _attribute(notes, workflow, f"{path}.by", *side)
        for side in zip((matches.from_, matches.to), matches.by, strict=True)
    ]
    if None not in by and len({_type(capture) for capture in by}) > 1:
        left, right = (_type(capture) for capture in by)
        message = f"'{matches.by[0]}' of {matches.from_} is {left}, and '{matches.by[1]}' of {matches.to} is {right}"
        notes.error(f"{path}.by", message, "capture both as the same type")
    if matches.amount is not None:
        for event, name in zip((matches.from_, matches.to), matches.amount, strict=True):
            capture = _attribute(notes, workflow, f"{path}.amount", event, name)
            if capture is not None and _type(capture) not in ("decimal", "integer"):
                hint = f"write {name}: {capture.value} as decimal"
                notes.error(f"{path}.amount", f"'{name}' of {event} is {_type(capture)}, which has no sum", hint)


def _check_tolerance(notes: Notes, path: str, matches: Matches) -> None:
    try:
        tolerance = Decimal(matches.tolerance)
    except InvalidOperation:
        tolerance = Decimal("NaN")
    if not tolerance.is_finite() or tolerance < 0:
        hint = "write a decimal number such as 0.01"
        notes.error(f"{path}.tolerance", f"tolerance is {matches.tolerance!r}, and must be a decimal of 0 or more", hint)
    elif matches.amount is None and tolerance:
        notes.error(f"{path}.tolerance", "tolerance is about amounts, and none is named", "add amount: and an attribute")


def _attribute(notes: Notes, workflow: Workflow, path: str, event: str, name: str) -> Capture | None:
    captured = workflow.events[event].capture
    if name not in captured:
        near = did_you_mean(name, captured)
        listed = f"it captures {', '.join(captured)}" if captured else f"add capture: to {event}"
        notes.error(path, f"{event} captures no attribute '{name}'", f"did you mean {near}?" if near else listed)
        return None
    return captured[name]


def _type(capture: Capture | None) -> str:
    return (capture.type if capture else None) or "text"
