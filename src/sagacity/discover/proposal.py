"""A proposed workflow: its rules, each with what speaks for it and against it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Literal, TypeAlias

import msgspec

from sagacity.discover.spans import Deadline
from sagacity.ledger.mining import Beside, LogShape, Side, TypeCount, Variant
from sagacity.workflow.model import Expectation, Workflow

__all__ = ["Candidate", "CounterExample", "Evidence", "Line", "Proposal", "Proposed", "ThresholdRow", "Wait", "joined"]

Section: TypeAlias = Literal["begins", "expect", "rules"]


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A rule to be judged. In `expect`, `text` is a shorthand for the event type; in `rules`, `rule` is its full form.

    `note` is what the choice rests on beside how often it holds, such as how long things take.
    """

    section: Section
    event: str
    text: str = ""
    rule: Mapping[str, object] = {}
    note: str = ""


class CounterExample(msgspec.Struct, frozen=True):
    """A case in which a rule does not hold, and how it fails."""

    case: str
    kind: str


class Evidence(msgspec.Struct, frozen=True):
    """What `check` says of a rule on the history that it was learnt from.

    `support` counts the cases that it concerns and that are decided, `held` those of them in which it holds; `findings`
    what it finds. `counter` holds up to three cases against it.
    """

    support: int
    held: int
    findings: int
    counter: tuple[CounterExample, ...] = ()

    @property
    def confidence(self) -> float:
        """The share of the cases that it concerns in which it holds."""
        return self.held / self.support if self.support else 0.0


class Proposed(msgspec.Struct, frozen=True):
    """A rule of the proposal with its evidence, and what it says as an expectation (None: `begins`)."""

    candidate: Candidate
    expectation: Expectation | None
    name: str
    evidence: Evidence


class Wait(msgspec.Struct, frozen=True):
    """How long it takes from an event of one type to the nearest of another after it (or back to the nearest before it): the
    deadline that it suggests, and counts by bin of `sagacity.ledger.mining.Delay`."""

    source: str
    target: str
    side: Side
    deadline: Deadline
    bins: Mapping[int, tuple[int, int]]


class ThresholdRow(msgspec.Struct, frozen=True):
    """What a threshold gives: how many rules about number and order, and how often the counted cases break one."""

    threshold: float
    rules: int
    breaches: int


class Line(msgspec.Struct, frozen=True):
    """A line of a workflow file. `of` are the places of the rules that it is there for, any of them; None: it is there
    anyway. With any of `unless` it is not."""

    text: str
    of: tuple[int, ...] | None = None
    unless: tuple[int, ...] = ()

    def among(self, kept: Container[int]) -> bool:
        """Whether it is there where these rules are kept."""
        wanted = self.of is None or any(place in kept for place in self.of)
        return wanted and not any(place in kept for place in self.unless)


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow learnt from history: `lines` are its file; `rules` say what it rests on, `log` what they were learnt from.

    `rules` are what the file states, and how cases begin; by the file, `check` judges these, and that an event's id stands
    for one content. `workflow` has its event types in the order in which they were taken in. `dropped` are candidates that
    did not hold as often as asked when they were judged. `violated` counts the cases in which some rule does not hold.

    Where rules are proposed for a workflow that is there, `into` is its file, which `lines` have with the rules put in;
    `known` counts what it says already, and `accepted_at` is the place among the lines where its section `accepted` goes on.
    `unplaced` has sources that the file names no path for, with what was given for them.
    """

    lines: tuple[Line, ...]
    log: str
    workflow: Workflow
    threshold: float
    shape: LogShape
    rules: tuple[Proposed, ...]
    dropped: tuple[Proposed, ...]
    types: tuple[TypeCount, ...]
    beside: tuple[Beside, ...]
    waits: tuple[Wait, ...]
    variants: tuple[Variant, ...]
    variant_count: int
    thresholds: tuple[ThresholdRow, ...]
    violated: int
    notes: tuple[str, ...] = ()
    known: int = 0
    into: str | None = None
    accepted_at: int | None = None
    unplaced: Mapping[str, tuple[str, ...]] = {}

    @property
    def stated(self) -> int:
        """How many rules the file states: all but how cases begin."""
        return sum(each.expectation is not None for each in self.rules)

    @property
    def begun(self) -> bool:
        """Whether it says how cases begin."""
        return len(self.rules) > self.stated

    @property
    def text(self) -> str:
        """The workflow file."""
        return joined(self.lines)


def joined(lines: Iterable[Line], kept: Container[int] | None = None) -> str:
    """The text of a file, of all rules or of those at some places."""
    shown = (line.text for line in lines if (not line.unless if kept is None else line.among(kept)))
    return "\n".join(shown).strip("\n") + "\n"
