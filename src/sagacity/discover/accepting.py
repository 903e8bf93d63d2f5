"""Accepting a proposal rule by rule: a workflow file of what was accepted, which keeps where each rule came from."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence

from msgspec.structs import replace

from sagacity.discover.proposal import Line, Proposal, Proposed, joined
from sagacity.discover.writing import acceptance_lines
from sagacity.errors import UsageError
from sagacity.workflow.instants import instant
from sagacity.workflow.model import Acceptance
from sagacity.workflow.spelling import did_you_mean
from sagacity.workflow.words.meaning import meaning_of
from sagacity.workflow.words.naming import names

__all__ = ["accepted", "chosen_of", "origin_lines", "with_origins"]


def accepted(proposal: Proposal, chosen: Container[int], *, by: str | None, date: str) -> str:
    """The workflow file of the rules at some places of `proposal.rules`; `by` accepted them on `date` (a day)."""
    return joined(with_origins(proposal, origin_lines(proposal, by=by, date=date)), chosen)


def with_origins(proposal: Proposal, origins: Sequence[Line]) -> tuple[Line, ...]:
    """The file's lines with those of its section `accepted`, which may be there already."""
    at = proposal.accepted_at
    if at is None:
        return (*proposal.lines, *origins)
    entries = [line for line in origins if line.text.startswith(" ")]
    return (*proposal.lines[:at], *entries, *proposal.lines[at:])


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
        if (rule.expectation is not None and expectation == rule.expectation) or (
            rule.expectation is None and expectation.name == rule.name
        ):
            return called
    return rule.name


def chosen_of(asked: Sequence[str], rules: Sequence[Proposed]) -> frozenset[int]:
    """The places of the rules that are asked for: `all`, numbers from 1 on (`1,3-5`), or names. Raises UsageError."""
    found: set[int] = set()
    for text in asked:
        named = [place for place, rule in enumerate(rules) if rule.name == text.strip()]
        if named:
            found |= set(named)
        elif text.strip().lower() == "all":
            found |= set(range(len(rules)))
        elif _NUMBERS.fullmatch(text):
            found |= _numbered(text, len(rules))
        else:
            close = did_you_mean(text.strip(), [rule.name for rule in rules])
            raise UsageError(
                f"no rule is called '{text.strip()}'",
                hint=f"did you mean '{close}'?" if close else "all, numbers such as 1,3-5, or names",
            )
    return frozenset(found)


def _numbered(text: str, of: int) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()) or ("-" in part and not last):
            raise UsageError(f"'{part.strip()}' is no number of a rule", hint="all, or numbers such as 1,3-5")
        low, high = int(first), int(last or first)
        if not 1 <= low <= high <= of:
            raise UsageError(f"there are rules 1 to {of}, and no {part.strip()}", hint="all, or numbers such as 1,3-5")
        found |= set(range(low - 1, high))
    return found


_NUMBERS = re.compile(r"[\d\s,-]*")
