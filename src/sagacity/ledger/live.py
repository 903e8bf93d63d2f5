"""The live ledger port: events kept for good, judged as they come, with the findings' life.

Guarantees, for every adapter:

- `append` is durable when it returns: records, events and the positions that they came from are kept in one transaction.
  After a crash at any instant `positions` says where to read on, and nothing is lost or doubled.
- `judge` keeps verdicts, findings, their history and the notices about them in one transaction, and equals
  `sagacity.judge` on every case. A crash between `append` and `judge` delays verdicts and changes none.
- Every record is accounted for: `accounts` adds up to the records appended.
- One thread at a time writes (append, judge, act, adopt, upkeep); any number may read at the same time, each seeing the
  state after some transaction.
- A ledger is opened by one process at a time; a second is refused with a LedgerError that says who holds it.
- Errors are `SagacityError`s that say how to mend them. After a FullError nothing of the failed transaction is kept, and the
  same call may be made again once there is room.

All times are microseconds since 1970-01-01T00:00Z.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

import msgspec

from sagacity.sources.stream import Batch, Part
from sagacity.workflow.model import Severity, Workflow
from sagacity.workflow.trace import Event
from sagacity.workflow.verdict import CaseStatus, FindingKind

__all__ = [
    "Account", "Action", "Appended", "CaseFilter", "CaseRow", "Counts", "Delivery", "DeliveryState", "FindingFilter",
    "FindingState", "HistoryEntry", "Incident", "Judged", "LiveFinding", "LiveLedger", "Notice", "NoticeKind", "Outlook",
    "Page", "PartState", "PeriodCounts", "Refusal", "Released", "Settled", "StoredEvent", "StoredWorkflow",
]  # fmt: skip

T = TypeVar("T")

FindingState: TypeAlias = Literal["open", "acknowledged", "waived", "resolved"]
NoticeKind: TypeAlias = Literal["opened", "escalated", "reopened", "resolved"]
DeliveryState: TypeAlias = Literal["waiting", "delivered", "dropped", "dead"]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some of a list, and the cursor with which the next are asked for; None at the end."""

    items: tuple[T, ...]
    cursor: str | None = None


class StoredWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """A revision of a workflow that the ledger judges by. `text` is the file as it was given; `progress` is the share of
    kept records that have been judged again by it, 1 when all are."""

    name: str
    revision: int
    text: str
    adopted: int
    by: str
    progress: float = 1.0


class Appended(msgspec.Struct, frozen=True):
    """What an `append` took in: records, those of them that were rejected, and for each part the latest event time."""

    records: int
    rejected: int
    latest: Mapping[Part, int]


class Outlook(msgspec.Struct, frozen=True):
    """What may be judged: as-of, and for each source that is behind or down the instant up to which it has been heard.

    What only such a source could still make good is pending with the reason *source behind*. `horizons` has for every source
    how far it has been heard by now, which never goes back.
    """

    as_of: int
    behind: Mapping[str, int] = {}
    horizons: Mapping[str, int] = {}


class Judged(msgspec.Struct, frozen=True):
    """What a `judge` did: cases judged, findings opened, reopened, resolved; and when the next case falls due.

    `more`: there are more cases to be judged now. `after`: where a replay goes on; None where it is done. `archived`: how
    many archived cases reach into a replay's period; they are not judged again, and its first result counts them all.
    """

    cases: int
    opened: int
    reopened: int
    resolved: int
    next_due: int | None
    more: bool = False
    after: str | None = None
    archived: int = 0


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the records of a source, for one workflow.

    `records = matched + redelivered + late + unmatched + orphan + rejected`. *late* amended a case that had been judged
    beyond the event's time already; *redelivered* are further copies, told apart when the case is judged.
    """

    workflow: str
    source: str
    records: int
    matched: int
    redelivered: int
    late: int
    unmatched: int
    orphan: int
    rejected: int


class CaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A case. `due` is when it is judged next unless an event comes before; `behind` names the sources that it waits for
    although that instant has passed. `as_of` is that of its latest verdict, None before the first; counts are of then."""

    workflow: str
    case: str
    status: CaseStatus
    ended: bool
    events: int
    findings: int
    first: int
    last: int
    as_of: int | None
    due: int | None
    behind: tuple[str, ...] = ()
    archived: bool = False


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a case, where it came from, and the record as it was read (without what is redacted).

    `correlation` and `trace` are the correlation id and the W3C trace id that it carries.
    """

    event: Event
    source: str
    part: str
    position: int
    arrived: int
    record: str | None
    correlation: str | None = None
    trace: str | None = None


class LiveFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A finding and its life.

    The first fields are those of `sagacity.reconcile.result.Finding`. `opened`, `changed` and `resolved` are instants of
    the clock, not of events. `late` is how long after `since` it was resolved, by the clock. A waived finding is open
    again after `until`. Findings of one storm share an `incident`.
    """

    id: str
    workflow: str
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
    state: FindingState
    opened: int
    changed: int
    resolved: int | None = None
    late: int | None = None
    until: int | None = None
    by: str | None = None
    reason: str | None = None
    incident: str | None = None


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A step in a finding's life. `by` is who did it; `sagacity` where a verdict did."""

    finding: str
    at: int
    what: Literal["opened", "changed", "acknowledged", "waived", "reopened", "resolved"]
    by: str
    reason: str | None = None
    until: int | None = None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of one cause: same expectation, close in time. `opened` and `last` are instants of the clock."""

    id: str
    workflow: str
    expectation: str
    severity: Severity
    owner: str | None
    source: str | None
    opened: int
    last: int
    findings: int
    open: int


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of a notice on one channel. `step` is 0 for the route's own channels, 1 for those that it is first
    escalated to, and so on.

    `since` is when it was first due, `again` when a waiting one is next; `tries` counts the attempts; `error` is why the
    last of them failed, or why it was dropped.
    """

    channel: str
    step: int = 0
    state: DeliveryState = "waiting"
    since: int
    again: int
    tries: int = 0
    error: str | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that people are to be told. `key` is the same however often it is delivered.

    `finding` is as it stands when the notice is read. `deliveries` is what `settle` last kept; empty before.
    """

    number: int
    key: str
    kind: NoticeKind
    at: int
    finding: LiveFinding
    findings: int = 1
    deliveries: tuple[Delivery, ...] = ()


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be kept of a notice: its deliveries, and when it is next due. With `again` None it is done with: a dead
    letter where `failed` says why, else delivered."""

    number: int
    deliveries: tuple[Delivery, ...]
    again: int | None = None
    failed: str | None = None


class Released(msgspec.Struct, frozen=True):
    """What upkeep did: cases archived, and cases and records forgotten at the end of their retention. `more`: there is as
    much left to do, and it may be called again soon."""

    archived: int
    forgotten: int
    more: bool = False


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What a person does about a finding. `until` serves `waive`; None waives for good."""

    what: Literal["acknowledge", "waive", "reopen"]
    by: str
    reason: str | None = None
    until: int | None = None


class FindingFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which findings; None and empty let all pass."""

    workflow: str | None = None
    states: tuple[FindingState, ...] = ()
    owner: str | None = None
    severity: Severity | None = None
    kind: FindingKind | None = None
    expectation: str | None = None
    case: str | None = None
    incident: str | None = None


class CaseFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases. `text` is looked for as a case id, another key's value, an event id, a correlation id, a trace id or the
    value of any captured attribute."""

    workflow: str | None = None
    status: CaseStatus | None = None
    text: str | None = None


class PartState(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a source as the ledger knows it: where to read on, the latest event time, when it was last heard."""

    source: str
    part: str
    position: int | None
    latest: int | None
    heard: int | None
    records: int
    rejected: int


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A record that could not be read by a workflow: where it stood, why, and how it began, without what is redacted."""

    workflow: str
    source: str
    part: str
    position: int
    arrived: int
    reason: str
    shown: str


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """One workflow at a glance: cases by status, findings by state, open findings by owner and by expectation, and events by
    type."""

    workflow: str
    cases: Mapping[str, int]
    findings: Mapping[str, int]
    by_owner: Mapping[str, int]
    by_expectation: Mapping[str, int]
    events: Mapping[str, int]


class PeriodCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Cases by the number of the period in which they began: all; those that are *decided*, for which nothing is waited any
    more; and of these, by expectation, those with a finding that is not resolved, and by event type (also those that the
    workflow forbids) those that have one.

    `unjudged`: by expectation, decided cases that were archived before it was in place, of which nobody knows. `repeated`:
    by event type, where some of the cases that have it have it several times, the sum of how many events of it a case has,
    and of their squares. `until`: as-of, the instant up to which is judged; None where nothing is yet.
    """

    begun: Mapping[int, int]
    decided: Mapping[int, int]
    violated: Mapping[str, Mapping[int, int]]
    types: Mapping[str, Mapping[int, int]]
    unjudged: Mapping[str, Mapping[int, int]] = {}
    repeated: Mapping[str, Mapping[int, tuple[int, int]]] = {}
    until: int | None = None


class LiveLedger(Protocol):
    """What `sagacity serve` keeps. Writers first, then readers."""

    def close(self) -> None: ...

    def adopt(self, workflow: Workflow, text: str, *, by: str, now: int, given: bool = False) -> StoredWorkflow:
        """Judge by this workflow from now on, and by it alone where one of the same name was there. The kept records are
        read anew by `rejudge`; until that is done the former revision's verdicts stand. Adopting what is there already
        changes nothing. `given`: it comes from a file at a start; where that says what it said at the last one, a revision
        that was put in place meanwhile stays, and is what is returned. Raises UsageError."""
        ...

    def owing(self) -> bool:
        """Whether a changed workflow has records to be read anew for it: `rejudge` has something to do. Costs nothing."""
        ...

    def rejudge(self, now: int, most: int = 100_000) -> float:
        """Read some of the kept records anew for workflows that changed; the share that is done."""
        ...

    def append(self, batches: Sequence[Batch], now: int, as_of: int | None = None) -> Appended:
        """Keep the batches. `as_of`: up to when nothing was left to be judged, where that is later than what was judged; an
        event before it is late."""
        ...

    def judge(self, outlook: Outlook, now: int, most: int = 200_000) -> Judged:
        """Judge the cases that new events touched and those that have fallen due, at most so many."""
        ...

    def act(self, finding: str, action: Action, now: int) -> LiveFinding:
        """Raises UsageError where there is no such finding, or the action makes no sense in its state."""
        ...

    def audit(self, by: str, what: str, now: int) -> None:
        """Note in the audit log what somebody did."""
        ...

    def upkeep(self, now: int, as_of: int | None = None) -> Released:
        """Archive and forget some. `as_of`, as `append` has it, is kept, so that it goes on while nothing comes and is not
        lost by a restart."""
        ...

    def replay(
        self, start: int, end: int, outlook: Outlook, now: int, *, after: str | None = None, most: int = 100_000
    ) -> Judged:
        """Judge again every case with an event in the period that is not archived; finds nothing new unless verdicts were
        wrong.

        At most so many cases at a time: where the result has an `after`, call again with it, and with the outlook of then.
        """
        ...

    def settle(self, settled: Sequence[Settled]) -> None:
        """Keep what became of notices on each of their channels, in one transaction.

        A dead letter that is settled with an `again` is a notice to be delivered as before. Unknown numbers are ignored.
        """
        ...

    # Readers

    def positions(self) -> dict[Part, int]: ...
    def parts(self) -> list[PartState]: ...
    def horizons(self) -> Mapping[str, int]:
        """How far each source had been heard when cases were judged last: `Outlook.horizons`."""
        ...

    def as_of(self) -> int | None:
        """The latest as-of that was judged, or that `upkeep` was given."""
        ...

    def refusals(self, *, cursor: str | None = None, limit: int = 50) -> Page[Refusal]:
        """The latest of the records that were rejected, newest first; a bounded number is kept."""
        ...

    def workflows(self) -> list[StoredWorkflow]: ...
    def accounts(self) -> list[Account]: ...
    def counts(self, workflow: str) -> Counts: ...
    def by_period(self, workflow: str, origin: int, width: int, since: int) -> PeriodCounts:
        """The judged cases that began from `since` on, archived ones included, by periods of a width, counted from an
        origin. Where cases are forgotten, only those that began since then are counted. Reads them all."""
        ...

    def case(self, workflow: str, case: str) -> CaseRow | None: ...
    def cases(self, which: CaseFilter, *, cursor: str | None = None, limit: int = 50) -> Page[CaseRow]: ...
    def events(self, workflow: str, case: str) -> list[StoredEvent]:
        """Every event of a case, copies included, in the order of the trace."""
        ...

    def finding(self, finding: str) -> LiveFinding | None: ...
    def findings(self, which: FindingFilter, *, cursor: str | None = None, limit: int = 50) -> Page[LiveFinding]: ...
    def history(self, finding: str) -> list[HistoryEntry]: ...
    def incidents(self, *, cursor: str | None = None, limit: int = 50) -> Page[Incident]: ...
    def notices(self, now: int, limit: int = 100) -> list[Notice]:
        """Notices that are to be delivered by now, oldest first."""
        ...

    def dead_letters(self, *, cursor: str | None = None, limit: int = 50) -> Page[tuple[Notice, str]]: ...
    def audits(self, *, cursor: str | None = None, limit: int = 50) -> Page[tuple[int, str, str]]:
        """What was done: when, by whom, what. Newest first."""
        ...
