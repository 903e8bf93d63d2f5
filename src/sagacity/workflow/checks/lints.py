"""Doubtful spots of a workflow: what is never used, never judged, or compared in a way that was hardly meant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from sagacity.workflow.checks.contradictions import contradictions
from sagacity.workflow.checks.notes import Notes
from sagacity.workflow.conditions.condition import Aggregate, Attribute, Expression, aggregates, text_comparisons
from sagacity.workflow.model import Assert, Expectation, Matches, Rule, Workflow
from sagacity.workflow.spelling import did_you_mean
from sagacity.workflow.templates import TEMPLATES, Count, Legs
from sagacity.workflow.words.meaning import meanings
from sagacity.workflow.words.naming import names as called
from sagacity.workflow.words.naming import title

__all__ = ["lint"]

_MESSAGES = ("jsonl",)
_SHOWN = 5


def lint(notes: Notes, workflow: Workflow, parsed: Mapping[str, Expression]) -> None:
    """Notes warnings about a workflow without errors.

    Its sources are completed by their formats; `parsed` are its conditions by their paths.
    """
    for index, message, hint in contradictions(workflow):
        notes.warning(f"expectations[{index}]" if index is not None else "begins", message, hint)
    _windows(notes, workflow)
    _repeated(notes, workflow)
    _never_due(notes, workflow)
    _unused(notes, workflow, parsed)
    _without_id(notes, workflow)
    _currencies(notes, workflow)
    _accepted(notes, workflow)
    for path, expression in parsed.items():
        for left, right in text_comparisons(expression):
            pair = f"{_shown(left)} and {_shown(right)}"
            hint = "state a type where they are captured, such as `as decimal`, or `as text` if text is meant"
            notes.warning(path, f"{pair} are compared as text, since neither states a type: 10 and 10.0 would differ", hint)


def _windows(notes: Notes, workflow: Workflow) -> None:
    for index, expectation in enumerate(workflow.expectations):
        if isinstance(expectation, Rule | Matches) and expectation.within == 0:
            hint = "write a longer duration, or leave within out"
            notes.warning(f"expectations[{index}].within", "within 0 allows events of the very same microsecond only", hint)


def _accepted(notes: Notes, workflow: Workflow) -> None:
    """What was accepted under a name that no expectation has: it was changed since, or struck out."""
    known, meant = called(workflow), meanings(workflow)
    for name, each in workflow.accepted.items():
        if name not in known:
            near = did_you_mean(name, known)
            hint = f"did you mean {near}?" if near else "take the entry out, or give the expectation that name"
            notes.warning(f"accepted.{name}", f"no expectation is called {name!r} any more", hint)
        elif each.meaning is not None and each.meaning != meant[name]:
            message = f"{name!r} means something else than when it was accepted: how its events are read was changed"
            notes.warning(f"accepted.{name}", message, "accept it anew, or take the entry out")


def _repeated(notes: Notes, workflow: Workflow) -> None:
    seen: dict[Expectation, int] = {}
    for index, expectation in enumerate(workflow.expectations):
        bare = msgspec.structs.replace(expectation, name=None, severity="error", owner=None, description=None)
        if bare in seen:
            first = workflow.expectations[seen[bare]]
            message = f"this expects the same as {first.name or title(first)}"
            notes.warning(f"expectations[{index}]", message, "leave one of the two out")
        seen.setdefault(bare, index)


def _never_due(notes: Notes, workflow: Workflow) -> None:
    if workflow.ends or workflow.timeout is not None:
        return
    waiting = [expectation for expectation in workflow.expectations if _waits_for_the_end(expectation)]
    if waiting:
        listed = ", ".join(expectation.name or title(expectation) for expectation in waiting[:_SHOWN])
        more = f" and {len(waiting) - _SHOWN:,} more" if len(waiting) > _SHOWN else ""
        message = f"no case ever ends, so these are never due unless the log is declared complete: {listed}{more}"
        notes.warning("", message, "state ends: (the events that end a case), timeout: such as 30d, or within on each")


def _waits_for_the_end(expectation: Expectation) -> bool:
    match expectation:
        case Assert():
            return not expectation.immediate
        case Matches():
            return expectation.within is None
        case Rule():
            shape = TEMPLATES[expectation.template].shape
            if isinstance(shape, Legs):
                waiting = (leg for leg in shape.legs if not leg.negated and leg.side != "before" and leg.reach != "chain")
                return expectation.within is None and any(waiting)
            return not isinstance(shape, Count) or shape.at_least


def _unused(notes: Notes, workflow: Workflow, parsed: Mapping[str, Expression]) -> None:
    for name in workflow.sources:
        if not any(event_type.source == name for event_type in workflow.events.values()):
            notes.warning(f"sources.{name}", f"no event type is found in the source {name}", "leave the source out")
    if workflow.unexpected == "forbid":
        return  # an event type may be declared for no more than to be allowed
    named = {*workflow.begins, *workflow.ends, *(name for each in workflow.expectations for name in _names(each))}
    named.update(aggregate.event for expression in parsed.values() for aggregate in aggregates(expression))
    for name in workflow.events:
        if name not in named:
            notes.warning(f"events.{name}", f"no expectation names {name}", "say what is expected of it, or leave it out")


def _names(expectation: Expectation) -> tuple[str, ...]:
    match expectation:
        case Rule():
            return expectation.events
        case Matches():
            return expectation.from_, expectation.to
        case Assert():
            return ()


def _without_id(notes: Notes, workflow: Workflow) -> None:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, event_type in workflow.events.items():
        source = workflow.source_of(name)
        wide = event_type.time is not None and event_type.type is None and source.type is None
        if source.format in _MESSAGES and not wide and workflow.id_of(name) is None:
            found[event_type.source].append(name)
    for source_name, names in found.items():
        listed = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        message = f"{listed}: messages without an id, so that one delivered twice counts twice"
        notes.warning(f"sources.{source_name}.id", message, f"add id: to the source {source_name}")


def _currencies(notes: Notes, workflow: Workflow) -> None:
    for index, expectation in enumerate(workflow.expectations):
        if not isinstance(expectation, Matches) or expectation.amount is None:
            continue
        pairs = zip((expectation.from_, expectation.to), expectation.amount, strict=True)
        captures = [workflow.events[event].capture.get(name) for event, name in pairs if event in workflow.events]
        stated = [capture.currency is not None for capture in captures if capture is not None]
        if len(stated) == 2 and any(stated) and not all(stated):
            message = "one of the amounts carries a currency and the other does not"
            notes.warning(f"expectations[{index}].amount", message, "state currency: for both")


def _shown(node: Attribute | Aggregate) -> str:
    if isinstance(node, Attribute):
        return node.name if node.place == "self" else f"{node.place}.{node.name}"
    return (
        f"{node.event}.{node.attribute}" if node.function == "first" else f"{node.function}({node.event}.{node.attribute})"
    )
