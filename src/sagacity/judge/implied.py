"""What a workflow expects without a rule of its own: how a case begins, what must not occur, one content per id."""

from __future__ import annotations

from sagacity.judge.counts import first_is
from sagacity.judge.outcome import Fulfilled, Outcome, violation
from sagacity.judge.trace import Copies, Trace
from sagacity.workflow.model import Implied, Workflow
from sagacity.workflow.verdict import Violation

__all__ = ["judge_implied"]


def judge_implied(workflow: Workflow, implied: Implied, trace: Trace) -> list[Outcome]:
    """One outcome for the case (`begins`), for each unexpected event, or for each id that came more than once."""
    match implied.rule:
        case "begins":
            return [first_is(trace, [place for place in trace.events if place.type in workflow.begins])]
        case "unexpected":
            return [violation("unexpected", place.time, place) for place in trace.unexpected]
        case "identity":
            return [_identity(copies) for copies in trace.copies]


def _identity(copies: Copies) -> Outcome:
    if not copies.differing:
        return Fulfilled()
    kept = copies.kept
    return Violation("conflict", min(copy.time for copy in copies.differing), kept.type, kept.time, kept.id)
