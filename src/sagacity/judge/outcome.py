"""What becomes of one activation, and the verdict that all of them together make."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from sagacity.judge.trace import Place
from sagacity.workflow.verdict import FindingKind, Verdict, Violation

__all__ = ["Fulfilled", "Outcome", "Pending", "verdict", "violation", "when_due"]


class Fulfilled(msgspec.Struct, frozen=True):
    """The activation has what it asks for."""


class Pending(msgspec.Struct, frozen=True):
    """The activation lacks what it asks for and may have it until `due`."""

    due: int


Outcome: TypeAlias = Fulfilled | Pending | Violation


def violation(kind: FindingKind, since: int, activation: Place | None = None) -> Violation:
    """A violation of an event that activated an expectation, or of the case as a whole."""
    if activation is None:
        return Violation(kind, since)
    return Violation(kind, since, activation.type, activation.time, activation.name)


def when_due(violated: Violation, as_of: int) -> Outcome:
    """The violation where the instant since which it stands is not after as-of; until then it is pending."""
    return violated if violated.since <= as_of else Pending(violated.since)


def verdict(expectation: str, outcomes: Iterable[Outcome]) -> Verdict:
    """The verdict on an expectation, of one outcome for each activation."""
    outcomes = list(outcomes)
    dues = [outcome.due for outcome in outcomes if isinstance(outcome, Pending)]
    return Verdict(
        expectation=expectation,
        activations=len(outcomes),
        fulfilled=sum(isinstance(outcome, Fulfilled) for outcome in outcomes),
        pending=len(dues),
        violations=tuple(sorted((outcome for outcome in outcomes if isinstance(outcome, Violation)), key=_order)),
        due=min(dues, default=None),
    )


def _order(violation: Violation) -> tuple[object, ...]:
    """By time, type, activation and kind, absent ones first."""
    parts = (violation.time, violation.type, violation.activation, violation.kind, violation.since)
    return tuple((part is not None, part) for part in parts)
