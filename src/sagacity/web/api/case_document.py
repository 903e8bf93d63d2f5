"""The timeline of a case as a JSON document."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from sagacity.report.case import Ghost
from sagacity.web.api.documents import CaseDocument, FindingDocument
from sagacity.web.timeline import Placed, Standing, Timeline
from sagacity.web.times import Instant, seconds, stamp
from sagacity.workflow.model import Severity, Workflow
from sagacity.workflow.trace import Value
from sagacity.workflow.verdict import FindingKind, Status, Violation
from sagacity.workflow.words.definition import definition
from sagacity.workflow.words.naming import owner_of
from sagacity.workflow.words.wording import message

__all__ = ["TimelineDocument"]


class Involvement(msgspec.Struct, frozen=True):
    """A violated expectation, and the kind of the violation."""

    expectation: str
    kind: FindingKind


class EventDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An event, where it came from, and its record as it was read, without what is redacted.

    `judged`: the case's as-of has reached it; `copy`: an earlier event has the same id; `gap_seconds`: since the event
    before. Decimal attributes are text, so that they stay exact.
    """

    type: str
    time: Instant | None
    seq: str
    id: str | None
    attributes: dict[str, str | int | bool | None]
    source: str
    part: str
    position: str
    arrived: Instant | None
    record: str | None
    judged: bool
    copy: bool
    gap_seconds: float | None
    involved: list[Involvement]

    @classmethod
    def of(cls, placed: Placed) -> EventDocument:
        stored = placed.stored
        return cls(
            type=stored.event.type,
            time=stamp(stored.event.time),
            seq=str(stored.event.seq),
            id=stored.event.id,
            attributes={name: _value(value) for name, value in stored.event.attributes.items()},
            source=stored.source,
            part=stored.part,
            position=str(stored.position),
            arrived=stamp(stored.arrived),
            record=stored.record,
            judged=placed.judged,
            copy=placed.copy,
            gap_seconds=seconds(placed.gap),
            involved=[Involvement(name, kind) for name, kind in placed.involved],
        )


class MissedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An event that should have happened by `due` and did not, or not by then."""

    type: str
    due: Instant | None
    kind: FindingKind
    expectation: str
    message: str

    @classmethod
    def of(cls, ghost: Ghost) -> MissedDocument:
        return cls(
            type=ghost.type, due=stamp(ghost.due), kind=ghost.kind, expectation=ghost.expectation, message=ghost.message
        )


class ViolationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A violation. `type`, `time`, `activation` name the event that made the expectation apply."""

    kind: FindingKind
    since: Instant | None
    type: str | None
    time: Instant | None
    activation: str | None
    message: str


class ExpectationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An expectation with its verdict and the reason; `behind` names the sources that could still settle it although it is
    past due. The counts are of activations."""

    name: str
    definition: str
    severity: Severity
    owner: str | None
    status: Annotated[Status, Meta(description="satisfied, vacuous, pending or violated")]
    reason: str
    behind: list[str]
    activations: int
    fulfilled: int
    pending: int
    due: Instant | None
    violations: list[ViolationDocument]

    @classmethod
    def of(cls, workflow: Workflow, standing: Standing) -> ExpectationDocument:
        verdict = standing.verdict
        return cls(
            name=verdict.expectation,
            definition=definition(workflow, standing.expectation),
            severity=standing.expectation.severity,
            owner=owner_of(workflow, standing.expectation),
            status=verdict.status,
            reason=standing.expected.reason,
            behind=list(standing.behind),
            activations=verdict.activations,
            fulfilled=verdict.fulfilled,
            pending=verdict.pending,
            due=stamp(verdict.due),
            violations=[_violation(workflow, standing, violation) for violation in verdict.violations],
        )


class TimelineDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A case, its events in order, what was missed, each expectation with its reason (violated, pending, satisfied, vacuous;
    none before the first verdict), and its findings. `ends` is when the case ended or will; null where nothing ends it."""

    case: CaseDocument
    ends: Instant | None
    redelivered: int
    events: list[EventDocument]
    missed: list[MissedDocument]
    expectations: list[ExpectationDocument]
    findings: list[FindingDocument]

    @classmethod
    def of(cls, told: Timeline) -> TimelineDocument:
        verdict = told.explanation.verdict if told.explanation else None
        return cls(
            case=CaseDocument.of(told.row),
            ends=stamp(verdict.end) if verdict else None,
            redelivered=verdict.redelivered if verdict else 0,
            events=[EventDocument.of(placed) for placed in told.events],
            missed=[MissedDocument.of(ghost) for ghost in told.ghosts],
            expectations=[ExpectationDocument.of(told.workflow, standing) for standing in told.standings],
            findings=[FindingDocument.of(finding) for finding in told.findings],
        )


def _violation(workflow: Workflow, standing: Standing, violation: Violation) -> ViolationDocument:
    return ViolationDocument(
        kind=violation.kind,
        since=stamp(violation.since),
        type=violation.type,
        time=stamp(violation.time),
        activation=violation.activation,
        message=message(workflow, standing.expectation, violation),
    )


def _value(value: Value) -> str | int | bool | None:
    return str(value) if isinstance(value, Decimal) else value
