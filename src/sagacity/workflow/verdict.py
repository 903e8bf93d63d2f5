"""What a judge says of a case."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec

__all__ = ["CaseStatus", "CaseVerdict", "FindingKind", "Status", "Verdict", "Violation"]


class Status(StrEnum):
    """The verdict on one expectation in one case."""

    SATISFIED = "satisfied"
    VACUOUS = "vacuous"
    PENDING = "pending"
    VIOLATED = "violated"


class CaseStatus(StrEnum):
    """The verdict on a case: violated if any expectation is; else open if any is pending or it has not ended."""

    COMPLETE = "complete"
    OPEN = "open"
    VIOLATED = "violated"


FindingKind: TypeAlias = Literal["missing", "late", "duplicate", "out_of_order", "mismatch", "unexpected", "conflict"]


class Violation(msgspec.Struct, frozen=True):
    """One activation (or, where there is none, one case) that fails an expectation.

    `activation` names the event: its id where it has one, else `<time>/<seq>`; it is None for a failure of the case as
    a whole. `type` and `time` are the activation's. `since` is the instant from which the violation stands: the due
    time, or the time of the event that broke a safety rule. Times are microseconds UTC.
    """

    kind: FindingKind
    since: int
    type: str | None = None
    time: int | None = None
    activation: str | None = None


class Verdict(msgspec.Struct, frozen=True):
    """The verdict on one expectation: counts over its activations, and each violation.

    Templates without activations count the case itself as one. `due` is the earliest due time of what is pending,
    `FOREVER` where that never comes due, and None where nothing is pending.
    """

    expectation: str
    activations: int
    fulfilled: int
    pending: int
    violations: tuple[Violation, ...] = ()
    due: int | None = None

    @property
    def status(self) -> Status:
        if self.violations:
            return Status.VIOLATED
        if self.pending:
            return Status.PENDING
        return Status.SATISFIED if self.activations else Status.VACUOUS


class CaseVerdict(msgspec.Struct, frozen=True):
    """All verdicts on one case, in the order of `Workflow.audited`. `ended`: the case has ended by as-of."""

    verdicts: tuple[Verdict, ...]
    ended: bool
    start: int
    end: int
    redelivered: int = 0

    @property
    def status(self) -> CaseStatus:
        statuses = {verdict.status for verdict in self.verdicts}
        if Status.VIOLATED in statuses:
            return CaseStatus.VIOLATED
        if Status.PENDING in statuses or not self.ended:
            return CaseStatus.OPEN
        return CaseStatus.COMPLETE
