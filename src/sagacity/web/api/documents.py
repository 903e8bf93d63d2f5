"""What the API answers with, as JSON documents: instants as text, durations in seconds, ids as text.

Each document has a constructor from what the live ledger gives; their fields are those of `sagacity.ledger.live`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from sagacity.ledger.live import (
    Account,
    CaseRow,
    FindingState,
    HistoryEntry,
    Incident,
    LiveFinding,
    Notice,
    NoticeKind,
    Page,
    PartState,
    Refusal,
    StoredWorkflow,
)
from sagacity.reconcile.live import Change, LiveState, Status
from sagacity.sources.stream import Reach, ReachState
from sagacity.web.mirrored import mirrored
from sagacity.web.times import Instant, seconds, stamp
from sagacity.workflow.model import Severity
from sagacity.workflow.verdict import CaseStatus, FindingKind

__all__ = [
    "AccountDocument", "AuditEntry", "CaseDocument", "ChangeDocument", "FindingDetail", "FindingDocument", "HistoryDocument",
    "IncidentDocument", "Letter", "Listed", "RefusalDocument", "SourcePart", "StatusDocument", "WorkflowSummary",
    "listed", "source_parts",
]  # fmt: skip

T = TypeVar("T")
S = TypeVar("S")


class Listed(msgspec.Struct, Generic[T], frozen=True):
    """Some of a list. `next` is the cursor that the next are asked for with; null at the end."""

    items: list[T]
    next: str | None = None


def listed(page: Page[S], make: Callable[[S], T]) -> Listed[T]:
    """A page of the ledger as a document."""
    return Listed([make(item) for item in page.items], page.cursor)


class ReachDocument(msgspec.Struct, frozen=True):
    """How far a part of a source has been read. `lag` counts records that are known to wait; null where not known."""

    source: str
    part: str
    state: ReachState
    lag: int | None
    error: str | None

    @classmethod
    def of(cls, reach: Reach) -> ReachDocument:
        return cls(reach.source, reach.part, reach.state, reach.lag, reach.error)


class StatusDocument(msgspec.Struct, frozen=True, kw_only=True):
    """How the server does. `rate` is records a second over the last ten seconds; `behind` has, for each source that is
    behind or down, the instant up to which it has been heard."""

    state: LiveState
    problem: str | None
    now: Instant | None
    started: Instant | None
    as_of: Instant | None
    delay_seconds: Annotated[float | None, Meta(description="how far as-of is behind the present")]
    behind: dict[str, str | None]
    records: int
    rate: float
    reaches: list[ReachDocument]

    @classmethod
    def of(cls, status: Status) -> StatusDocument:
        return cls(
            state=status.state,
            problem=status.problem,
            now=stamp(status.now),
            started=stamp(status.started),
            as_of=stamp(status.as_of),
            delay_seconds=None if status.as_of is None else seconds(status.now - status.as_of),
            behind={source: stamp(heard) for source, heard in status.behind.items()},
            records=status.records,
            rate=status.rate,
            reaches=[ReachDocument.of(reach) for reach in status.reaches],
        )


class WorkflowSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow that is judged by. `progress` is the share of kept records that have been judged by this revision."""

    name: str
    revision: int
    adopted: Instant | None
    by: str
    progress: float

    @classmethod
    def of(cls, stored: StoredWorkflow) -> WorkflowSummary:
        return cls(
            name=stored.name,
            revision=stored.revision,
            adopted=stamp(stored.adopted),
            by=stored.by,
            progress=stored.progress,
        )


class CaseDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A case. `due` is when it is judged next unless an event comes before; `behind` names the sources it waits for."""

    workflow: str
    case: str
    status: CaseStatus
    ended: bool
    events: int
    findings: int
    first: Instant | None
    last: Instant | None
    as_of: Instant | None
    due: Instant | None
    behind: list[str]
    archived: bool

    @classmethod
    def of(cls, row: CaseRow) -> CaseDocument:
        return cls(
            workflow=row.workflow,
            case=row.case,
            status=row.status,
            ended=row.ended,
            events=row.events,
            findings=row.findings,
            first=stamp(row.first),
            last=stamp(row.last),
            as_of=stamp(row.as_of),
            due=stamp(row.due),
            behind=list(row.behind),
            archived=row.archived,
        )


class FindingDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A finding. `since`, `time` are instants of events; `opened`, `changed`, `resolved` of the server's clock.
    `late_seconds`: how long after `since` the event that resolved it happened. `until`: when a waiver ends."""

    id: str
    workflow: str
    case: str
    expectation: str
    kind: FindingKind
    severity: Severity
    owner: str | None
    since: Instant | None
    type: str | None
    time: Instant | None
    activation: str | None
    message: str
    state: FindingState
    opened: Instant | None
    changed: Instant | None
    resolved: Instant | None
    late_seconds: float | None
    until: Instant | None
    by: str | None
    reason: str | None
    incident: str | None

    @classmethod
    def of(cls, finding: LiveFinding) -> FindingDocument:
        return cls(**_finding(finding))


class HistoryDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A step in a finding's life; `by` is `sagacity` where a verdict did it."""

    at: Instant | None
    what: str
    by: str
    reason: str | None
    until: Instant | None

    @classmethod
    def of(cls, entry: HistoryEntry) -> HistoryDocument:
        return cls(at=stamp(entry.at), what=entry.what, by=entry.by, reason=entry.reason, until=stamp(entry.until))


class FindingDetail(FindingDocument, frozen=True, kw_only=True):
    """A finding with its history, oldest step first."""

    history: list[HistoryDocument]

    @classmethod
    def told(cls, finding: LiveFinding, history: Sequence[HistoryEntry]) -> FindingDetail:
        return cls(**_finding(finding), history=[HistoryDocument.of(entry) for entry in history])


def _finding(finding: LiveFinding) -> dict[str, Any]:
    plain = msgspec.structs.asdict(finding)
    late = plain.pop("late")
    for name in ("since", "time", "opened", "changed", "resolved", "until"):
        plain[name] = stamp(plain[name])
    return plain | {"late_seconds": seconds(late)}


class IncidentDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of one cause: same expectation, close in time."""

    id: str
    workflow: str
    expectation: str
    severity: Severity
    owner: str | None
    source: str | None
    opened: Instant | None
    last: Instant | None
    findings: int
    open: int

    @classmethod
    def of(cls, incident: Incident) -> IncidentDocument:
        plain = msgspec.structs.asdict(incident)
        return cls(**plain | {"opened": stamp(incident.opened), "last": stamp(incident.last)})


class SourcePart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a source: how far it is read (null where no stream reads it now), and what the ledger has of it.
    `silent_seconds` is how long ago a record last came."""

    source: str
    part: str
    state: ReachState | None
    lag: int | None
    error: str | None
    position: str | None
    latest: Instant | None
    heard: Instant | None
    silent_seconds: float | None
    records: int
    rejected: int


def source_parts(parts: Sequence[PartState], status: Status) -> list[SourcePart]:
    """What streams say of their parts beside what the ledger knows of them, by source and part."""
    kept = {(part.source, part.part): part for part in parts}
    reaches = {(reach.source, reach.part): reach for reach in status.reaches}
    return [_part(key, kept.get(key), reaches.get(key), status.now) for key in sorted(kept.keys() | reaches.keys())]


def _part(key: tuple[str, str], part: PartState | None, reach: Reach | None, now: int) -> SourcePart:
    heard = part.heard if part else None
    return SourcePart(
        source=key[0],
        part=key[1],
        state=reach.state if reach else None,
        lag=reach.lag if reach else None,
        error=reach.error if reach else None,
        position=str(part.position) if part and part.position is not None else None,
        latest=stamp(part.latest) if part else None,
        heard=stamp(heard),
        silent_seconds=None if heard is None else seconds(max(now - heard, 0)),
        records=part.records if part else 0,
        rejected=part.rejected if part else 0,
    )


class AccountDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a source's records, for one workflow; they add up to `records`."""

    workflow: str
    source: str
    records: int
    matched: int
    redelivered: int
    late: int
    unmatched: int
    orphan: int
    rejected: int

    @classmethod
    def of(cls, account: Account) -> AccountDocument:
        return cls(**msgspec.structs.asdict(account))


class RefusalDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A record that could not be read, and why; `shown` is how it began."""

    workflow: str
    source: str
    part: str
    position: str
    arrived: Instant | None
    reason: str
    shown: str

    @classmethod
    def of(cls, refusal: Refusal) -> RefusalDocument:
        return mirrored(cls, refusal, position=str(refusal.position), arrived=stamp(refusal.arrived))


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did."""

    at: Instant | None
    by: str
    what: str

    @classmethod
    def of(cls, entry: tuple[int, str, str]) -> AuditEntry:
        return cls(at=stamp(entry[0]), by=entry[1], what=entry[2])


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that could not be delivered, and why. `findings` counts those that it tells of."""

    number: str
    key: str
    kind: NoticeKind
    at: Instant | None
    findings: int
    finding: FindingDocument
    error: str

    @classmethod
    def of(cls, dead: tuple[Notice, str]) -> Letter:
        notice, error = dead
        return cls(
            number=str(notice.number),
            key=notice.key,
            kind=notice.kind,
            at=stamp(notice.at),
            findings=notice.findings,
            finding=FindingDocument.of(notice.finding),
            error=error,
        )


class ChangeDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a round has changed: records taken in, cases judged, findings opened, reopened and resolved."""

    at: Instant | None
    as_of: Instant | None
    records: int
    cases: int
    opened: int
    reopened: int
    resolved: int

    @classmethod
    def of(cls, change: Change) -> ChangeDocument:
        plain: dict[str, Any] = msgspec.structs.asdict(change)
        return cls(**plain | {"at": stamp(change.at), "as_of": stamp(change.as_of)})
