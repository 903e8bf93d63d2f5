"""Verdicts in plain words: one sentence for each violation, one reason for each verdict."""

from __future__ import annotations

from sagacity.workflow.instants import instant, span
from sagacity.workflow.model import Assert, Audited, Matches, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Legs, Position
from sagacity.workflow.trace import FOREVER
from sagacity.workflow.verdict import Status, Verdict
from sagacity.workflow.words.definition import definition
from sagacity.workflow.words.sentences import flat, message, teller

__all__ = ["definition", "instant", "message", "reason", "span", "teller"]


def reason(workflow: Workflow, expectation: Audited, verdict: Verdict, as_of: int) -> str:
    """Why a verdict is what it is, in one sentence. `as_of` serves to say how far off a due time is."""
    return _REASONS[verdict.status](workflow, expectation, verdict, as_of)


def _violated(workflow: Workflow, expectation: Audited, verdict: Verdict, as_of: int) -> str:
    del as_of
    first, *more = verdict.violations
    text = message(workflow, expectation, first)
    return f"{text} (and {len(more):,} more)" if more else text


def _pending(workflow: Workflow, expectation: Audited, verdict: Verdict, as_of: int) -> str:
    awaited = _awaited(workflow, expectation)
    several = f" for {verdict.pending:,} of {verdict.activations:,} activations" if verdict.activations > 1 else ""
    if verdict.due is None or verdict.due == FOREVER:
        return f"pending: {awaited} may still come{several}; it is never due"
    first = "first due" if verdict.pending > 1 else "due"
    return f"pending: {awaited} is {first} by {instant(verdict.due)}, in {span(verdict.due - as_of, 2)}{several}"


def _vacuous(workflow: Workflow, expectation: Audited, verdict: Verdict, as_of: int) -> str:
    del workflow, verdict, as_of
    if isinstance(expectation, Rule):
        shape = TEMPLATES[expectation.template].shape
        legs = shape.legs if isinstance(shape, Legs) else ()
        names = dict.fromkeys(expectation.events[leg.activation] for leg in legs) or dict.fromkeys(expectation.events)
        filtered = f" where {flat(expectation.when)}" if expectation.when else ""
        return f"does not apply: no {' and no '.join(names)}{filtered}"
    if isinstance(expectation, Matches):
        return f"does not apply: no {expectation.from_} and no {expectation.to}"
    if isinstance(expectation, Assert):
        return "does not apply: no event to take its values from"
    return f"does not apply: {_IDLE[expectation.rule]}"


def _satisfied(workflow: Workflow, expectation: Audited, verdict: Verdict, as_of: int) -> str:
    del as_of
    several = f" (all {verdict.activations:,})" if verdict.activations > 1 else ""
    return f"satisfied: {definition(workflow, expectation)}{several}"


_REASONS = {
    Status.VIOLATED: _violated,
    Status.PENDING: _pending,
    Status.VACUOUS: _vacuous,
    Status.SATISFIED: _satisfied,
}
_IDLE = {"begins": "no event", "unexpected": "no unexpected event", "identity": "no event id came more than once"}


def _awaited(workflow: Workflow, expectation: Audited) -> str:
    """What a pending expectation waits for."""
    if isinstance(expectation, Rule):
        shape = TEMPLATES[expectation.template].shape
        if isinstance(shape, Legs):
            return " and ".join(dict.fromkeys(expectation.events[leg.target] for leg in shape.legs if leg.side != "before"))
        if isinstance(shape, Position) and shape.which == "last":
            return f"{expectation.events[0]} as the last event"
        return " or ".join(expectation.events)
    if isinstance(expectation, Matches):
        return f"the pairing of {expectation.from_} and {expectation.to}"
    if isinstance(expectation, Assert):
        return flat(expectation.predicate)
    return " or ".join(workflow.begins) or "an event"
