"""Going through a proposal in the terminal, rule by rule."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

from sagacity.cli.asking import screen

if TYPE_CHECKING:
    from sagacity.discover.proposal import Proposal, Proposed

__all__ = ["reviewed"]

_INDENT = " " * 4
_LEAST_WIDTH = 60


def reviewed(proposal: Proposal) -> frozenset[int]:
    """The places of the rules that somebody at standard input accepts. Questions go to standard error.

    Raises UsageError where the answers end, or somebody stops, before all rules are decided.
    """
    chosen: set[int] = set()
    everything = range(len(proposal.rules))
    for place in everything:
        _say("\n".join(["", *_shown(proposal, proposal.rules[place], f"{place + 1} of {len(everything)}")]) + "\n")
        match _answer(chosen):
            case "y":
                chosen.add(place)
            case "a":
                return frozenset(chosen | {other for other in everything if other >= place})
    return frozenset(chosen)


def _answer(chosen: set[int]) -> str:
    from sagacity.errors import UsageError

    while True:
        _say(f"{_INDENT}accept it? [y]es, [n]o, [a]ll from here on, [q]uit: ")
        line = sys.stdin.readline()
        word = line.strip().lower()[:1]
        if not line or word == "q":
            numbers = ",".join(str(place + 1) for place in sorted(chosen))
            hint = f"what was accepted so far: --accept {numbers}" if chosen else "--accept all takes them unseen"
            raise UsageError("not all rules were decided, and nothing was written", hint=hint)
        if word in ("y", "n", "a"):
            return word
        _say(
            f"{_INDENT}y puts the rule into the file, n leaves it out, a accepts it and all that follow, q writes nothing\n"
        )


def _shown(proposal: Proposal, rule: Proposed, number: str) -> list[str]:
    from sagacity.discover.writing import percent
    from sagacity.report.text import visible
    from sagacity.workflow.words.definition import definition

    found = rule.evidence
    note = f"; {rule.candidate.note}" if rule.candidate.note else ""
    said = [definition(proposal.workflow, rule.expectation)] if rule.expectation is not None else []
    said.append(f"holds in {percent(found.held, found.support)} of {found.support:,} cases{note}")
    against = ", ".join(f"{each.case} ({each.kind.replace('_', ' ')})" for each in found.counter)
    said += [f"not in {against}"] if against else []
    width = max(screen()[0], _LEAST_WIDTH)
    return [
        visible(f"{number}: {rule.name}"),
        *(
            line
            for text in said
            for line in textwrap.wrap(visible(text), width, initial_indent=_INDENT, subsequent_indent=_INDENT)
        ),
    ]


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
