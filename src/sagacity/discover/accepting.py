"""Accepting a proposal rule by rule: a workflow file of what was accepted, which keeps where each rule came from."""

from __future__ import annotations

from collections.abc import Container

from msgspec.structs import replace

from sagacity.discover.proposal import Line, Proposal, Proposed, joined
from sagacity.discover.writing import acceptance_lines
from sagacity.errors import UsageError
from sagacity.workflow.instants import instant
from sagacity.workflow.model import Acceptance
from sagacity.workflow.words.meaning import meaning_of
from sagacity.workflow.words.naming import names

__all__ = ["accepted", "chosen_of", "origin_lines"]


def accepted(proposal: Proposal, chosen: Container[int], *, by: str | None, date: str) -> str:
    """The workflow file of the rules at some places of `proposal.rules`; `by` accepted them on `date` (a day)."""
    return joined((*proposal.lines, *origin_lines(proposal, by=by, date=date)), chosen)


def origin_lines(proposal: Proposal, *, by: str | None = None, date: str | None = None) -> tuple[Line, ...]:
    """The section `accepted` of a file: where each rule came from."""
    until = instant(proposal.shape.last)[:10]
    called = [_called(proposal, each) for each in proposal.rules]
    meant = _meanings(proposal)
    found = [
        Acceptance(
            held=each.evidence.held,
            of=each.evidence.support,
            until=until,
            log=proposal.log,
            by=by,
            date=date,
            meaning=meant.get(name),
        )
        for each, name in zip(proposal.rules, called, strict=True)
    ]
    return acceptance_lines(called, found)


def _meanings(proposal: Proposal) -> dict[str, str]:
    """What each rule of the file means, by its name."""
    workflow = replace(proposal.workflow, accepted={})
    pairs = zip(names(workflow), workflow.audited(), strict=True)
    return {name: meaning_of(workflow, expectation) for name, expectation in pairs}


def _called(proposal: Proposal, rule: Proposed) -> str:
    """What a rule is called in the workflow of its file."""
    workflow = replace(proposal.workflow, accepted={})
    for called, expectation in zip(names(workflow), workflow.audited(), strict=True):
        if expectation is rule.expectation or (rule.expectation is None and expectation.name == rule.name):
            return called
    return rule.name


def chosen_of(text: str, of: int) -> frozenset[int]:
    """The places that numbers from 1 on name: `all`, `1,3-5`. Raises UsageError."""
    if text.strip().lower() == "all":
        return frozenset(range(of))
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()) or ("-" in part and not last):
            raise UsageError(f"'{part.strip()}' is no number of a rule", hint="all, or numbers such as 1,3-5")
        low, high = int(first), int(last or first)
        if not 1 <= low <= high <= of:
            raise UsageError(f"there are rules 1 to {of}, and no {part.strip()}", hint="all, or numbers such as 1,3-5")
        found |= set(range(low - 1, high))
    return frozenset(found)
