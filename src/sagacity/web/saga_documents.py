"""Sagas as JSON documents: what the API answers with, and `sagacity saga` prints. Instants are text, as everywhere.

Nothing here needs a driver, or a server.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from sagacity.errors import UsageError
from sagacity.saga.definition import Kind, Saga
from sagacity.saga.happenings import Order
from sagacity.saga.identity import command_id
from sagacity.saga.messages import address
from sagacity.saga.state import SagaState, SagaStatus, StepStatus
from sagacity.web.mirrored import mirrored
from sagacity.web.times import Instant, stamp

if TYPE_CHECKING:
    from sagacity.messaging.postgres.dead_letters import DeadLetter
    from sagacity.saga.decision import SagaEvent
    from sagacity.saga.postgres.definitions import Version
    from sagacity.saga.postgres.listing import Line, Shown
    from sagacity.saga.postgres.orders import Placed

__all__ = [
    "AllowedDocument", "LastLine", "OrderDocument", "SagaDefinitionDocument", "SagaDocument", "SagaEventDocument",
    "SagaLetter", "SagaLine", "SagaStep", "next_cursor", "read_cursor",
]  # fmt: skip


class SagaLine(msgspec.Struct, frozen=True, kw_only=True):
    """A saga in a list. `since` is from when it stands as it does: for a parked saga, from when it was parked without a
    break. `parked` are the steps that it is parked at; none where the whole saga is in quarantine. `due` is when a timer
    fires."""

    id: str
    definition: str
    version: int
    status: SagaStatus
    started: Instant | None
    changed: Instant | None
    since: Instant | None
    ended: Instant | None
    due: Instant | None
    cause: str | None
    parked: list[str]
    resources: list[str]

    @classmethod
    def of(cls, line: Line) -> SagaLine:
        times = {name: stamp(getattr(line, name)) for name in ("started", "changed", "ended", "due")}
        return mirrored(
            cls, line, since=stamp(line.stands), parked=list(line.parked), resources=list(line.resources), **times
        )


class LastLine(SagaLine, frozen=True, kw_only=True):
    """The last saga of a list that goes on; `next` is the cursor of what comes after."""

    next: str

    @classmethod
    def ending(cls, line: SagaLine, next: str) -> LastLine:
        return cls(**msgspec.structs.asdict(line), next=next)


class SagaStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a saga. `command` and `compensation` are the ids of the newest that were sent, null where none was. `reply`
    is what its participant answered when it was done, `cause` why it failed, timed out or is parked. What the definition
    says is null where that is not known."""

    name: str
    status: StepStatus
    kind: Kind | None
    after: list[str] | None
    type: str | None
    topic: str | None
    attempt: int
    compensation_attempt: int
    sends: int
    command: str | None
    compensation: str | None
    asked: Instant | None
    due: Instant | None
    cause: str | None
    reply: Any


class SagaEventDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has happened to a saga. `by` is who ordered it."""

    number: int
    type: str
    time: Instant | None
    step: str | None
    command: str | None
    attempt: int | None
    cause: str | None
    by: str | None

    @classmethod
    def of(cls, event: SagaEvent) -> SagaEventDocument:
        return mirrored(cls, event, time=stamp(event.time))


class OrderDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An order, who gave it, why, and what became of it: `outcome` is `done`, or why it was refused; null while it waits for
    an orchestrator. `redrive` is of a dead letter's command."""

    number: int
    saga: str
    order: str
    step: str | None
    by: str
    reason: str | None
    since: Instant | None
    done: Instant | None
    outcome: str | None

    @classmethod
    def of(cls, placed: Placed) -> OrderDocument:
        return mirrored(cls, placed, number=placed.id, since=_instant(placed.since), done=_instant(placed.done))


class AllowedDocument(msgspec.Struct, frozen=True):
    """What may be ordered now: the ids of the commands that it sends, and how the saga stands then."""

    order: Order
    step: str | None
    sends: list[str]
    status: SagaStatus


class SagaDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A saga with all that is known of it. `problem` says why its state or its definition cannot be read, where one cannot.
    `waits_for` are sagas that hold what it waits for. `ignored` counts replies that did not count, and why."""

    saga: SagaLine
    input: Any
    correlation_id: str | None
    traceparent: str | None
    quarantine: str | None
    problem: str | None
    waits_for: list[str]
    ignored: dict[str, int]
    steps: list[SagaStep]
    events: list[SagaEventDocument]
    orders: list[OrderDocument]
    allowed: list[AllowedDocument]

    @classmethod
    def of(cls, shown: Shown) -> SagaDocument:
        saga = shown.saga
        return cls(
            saga=SagaLine.of(shown.line),
            input=None if saga is None else _json(saga.input),
            correlation_id=None if saga is None else saga.correlation_id,
            traceparent=None if saga is None else saga.traceparent,
            quarantine=None if saga is None else saga.quarantine,
            problem=shown.problem,
            waits_for=list(shown.before),
            ignored={} if saga is None else {"late": saga.late, "foreign": saga.foreign, "doubled": saga.doubled},
            steps=[] if saga is None else list(steps(saga, shown.definition)),
            events=[SagaEventDocument.of(event) for event in shown.history],
            orders=[OrderDocument.of(placed) for placed in shown.orders],
            allowed=[AllowedDocument(each.order, each.step, list(each.sends), each.status) for each in shown.allowed],
        )


class SagaDefinitionDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a definition: how many of its sagas are in which status. `problem` says why it cannot be read."""

    name: str
    version: int
    since: str
    sagas: dict[str, int]
    problem: str | None

    @classmethod
    def of(cls, version: Version, counts: Mapping[tuple[str, int, str], int]) -> SagaDefinitionDocument:
        held = {
            status: count
            for (name, number, status), count in sorted(counts.items())
            if (name, number) == (version.name, version.version)
        }
        since = _instant(datetime.fromisoformat(version.since)) or version.since
        return cls(name=version.name, version=version.version, since=since, sagas=held, problem=version.problem)


class SagaLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that could not be done. `saga` and `step` are those that it is about, where it is about any; `type` is null
    where it is no envelope. `redriven` is when it was given again."""

    number: int
    consumer: str
    topic: str
    partition: int | None
    offset: int | None
    reason: str
    type: str | None
    saga: str | None
    step: str | None
    since: Instant | None
    redriven: Instant | None
    redriven_by: str | None

    @classmethod
    def of(cls, letter: DeadLetter) -> SagaLetter:
        where = None if letter.envelope is None else address(letter.envelope)
        return mirrored(
            cls,
            letter,
            number=letter.id,
            type=None if letter.envelope is None else letter.envelope.type,
            saga=None if where is None else where.saga,
            step=None if where is None else where.step,
            since=_instant(letter.since),
            redriven=_instant(letter.redriven),
        )


def steps(saga: SagaState, definition: Saga | None) -> Sequence[SagaStep]:
    """The steps of a saga, in the order of its definition."""
    found = []
    for name, state in saga.steps.items():
        step = None if definition is None else definition.by_name.get(name)
        found.append(
            SagaStep(
                name=name,
                status=state.status,
                kind=None if step is None else step.kind,
                after=None if definition is None or step is None else list(definition.before[name]),
                type=None if step is None else step.command,
                topic=None if step is None else step.topic,
                attempt=state.attempt,
                compensation_attempt=state.undo_attempt,
                sends=state.sends,
                command=command_id(saga.id, name, "do", state.attempt) if state.attempt else None,
                compensation=command_id(saga.id, name, "undo", state.undo_attempt) if state.undo_attempt else None,
                asked=stamp(state.asked),
                due=stamp(state.due),
                cause=state.cause,
                reply=_json(saga.replies[name]) if name in saga.replies else None,
            )
        )
    return found


def next_cursor(lines: Sequence[Line], most: int) -> str | None:
    """The cursor of what comes after a page of at most so many; None where nothing does."""
    if len(lines) < most:
        return None
    return base64.urlsafe_b64encode(f"{lines[-1].started} {lines[-1].id}".encode()).decode().rstrip("=")


def read_cursor(text: str | None) -> tuple[int, str] | None:
    """After which start and id a page begins. Raises UsageError for what is no cursor."""
    if not text:
        return None
    try:
        started, _, id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(" ")
        at = int(started)
    except (binascii.Error, ValueError):
        raise UsageError("that is no cursor", hint="give `next` of the page before, as it is") from None
    if not -(2**63) <= at < 2**63 or "\x00" in id:
        raise UsageError("that is no cursor", hint="give `next` of the page before, as it is")
    return at, id


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _json(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
