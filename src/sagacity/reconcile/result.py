"""What a check yields: counts, findings, and the material that reports are drawn from.

Times are microseconds since 1970-01-01T00:00Z unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import msgspec

from sagacity.ledger.port import Account, Rejected
from sagacity.workflow.model import Audited, Severity, Workflow
from sagacity.workflow.trace import Event
from sagacity.workflow.verdict import CaseVerdict, FindingKind

__all__ = ["Cases", "Delays", "Explanation", "Finding", "Findings", "FindingsOverTime", "Result", "Tally"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One violation. `id` is the same however often the same log is read; `message` says in plain words what is wrong.

    `type`, `time` and `activation` name the event that made the expectation apply, None for a failure of the case as a
    whole. `since` is the instant from which the violation stands.
    """

    id: str
    case: str
    expectation: str
    kind: FindingKind
    severity: Severity
    owner: str | None
    since: int
    type: str | None
    time: int | None
    activation: str | None
    message: str


class Findings(Protocol):
    """Every finding of a check, kept by the ledger until they are read: may be many more than fit in memory.

    Ordered by severity (worst first), then since, then case and expectation.
    """

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Finding]: ...
    def head(self, n: int) -> list[Finding]:
        """The first n."""
        ...


class Cases(msgspec.Struct, frozen=True):
    """How many cases there are, by verdict."""

    total: int
    complete: int
    open: int
    violated: int


class Delays(msgspec.Struct, frozen=True):
    """How long it took from activation to target, for an expectation with a deadline.

    `edges` are the upper bounds (microseconds, inclusive) of the bins, ascending; `counts` has one entry more, for what
    took longer than the last edge. `within` is the deadline in microseconds. Over cases that have exactly one activation;
    the delay is that to its earliest target.
    """

    edges: tuple[int, ...]
    counts: tuple[int, ...]
    within: int


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """One expectation over all cases: cases by verdict, activations by outcome, findings by kind, the worst examples."""

    expectation: Audited
    name: str
    owner: str | None
    severity: Severity
    satisfied: int
    vacuous: int
    pending: int
    violated: int
    activations: int
    fulfilled: int
    pending_activations: int
    findings: int
    kinds: Mapping[FindingKind, int]
    examples: tuple[Finding, ...] = ()
    delays: Delays | None = None


class FindingsOverTime(msgspec.Struct, frozen=True):
    """Findings by the instant since which they stand: `starts` of equal periods of `width` microseconds, and counts by
    kind in step with them. Findings without such an instant (a complete log's ends) are left out."""

    starts: tuple[int, ...]
    width: int
    counts: Mapping[FindingKind, tuple[int, ...]]


class Explanation(msgspec.Struct, frozen=True):
    """One case: its events in the order of the trace, and the verdict on each expectation."""

    case: str
    events: tuple[Event, ...]
    verdict: CaseVerdict


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of `sagacity check`.

    `as_of` is `FOREVER` where the log was declared complete. `event_counts` counts judged events by type, and is
    empty where they were not counted. `worst` holds the cases with the most findings, worst first. `elapsed` is in seconds.
    """

    workflow: Workflow
    as_of: int
    accounts: tuple[Account, ...]
    rejected: tuple[Rejected, ...]
    unmatched_types: tuple[tuple[str, int], ...]
    cases: Cases
    tallies: tuple[Tally, ...]
    event_counts: Mapping[str, int]
    over_time: FindingsOverTime
    worst: tuple[Explanation, ...]
    findings: Findings
    elapsed: float
