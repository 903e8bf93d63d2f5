"""What is done next in a saga: a pure function of its definition, where it stands, what has happened, and the time.

    decision = begin(definition, "purchase-17", b'{"items": []}', now)
    decision = decide(definition, decision.saga, Replied("purchase-17/reserve/do/1", success=True), now)

Whoever calls keeps `decision.saga`, sends `decision.commands`, publishes `decision.events`, and calls again with `Due`
when `decision.due` has come: in one transaction, or the saga's promises do not hold. All times are microseconds since
1970, UTC; a clock that jumps makes commands be sent again, or later, and nothing worse.
"""

from __future__ import annotations

import msgspec

from sagacity.saga.decide.advance import advance
from sagacity.saga.decide.course import Course
from sagacity.saga.decide.orders import obey
from sagacity.saga.decide.replies import classified, failure_trigger
from sagacity.saga.decide.timing import microseconds
from sagacity.saga.decision import Decision
from sagacity.saga.definition import Saga
from sagacity.saga.happenings import Due, Happening, Ordered, Released, Replied
from sagacity.saga.paths import resource_key
from sagacity.saga.state import ENDED, SagaState, StepState

__all__ = ["begin", "decide", "quarantine", "resources"]


def resources(definition: Saga, saga_id: str, input: msgspec.Raw | bytes) -> tuple[str, ...]:
    """The keys that a saga with this input locks, without doubles, in order; sagas that share one run one after another."""
    keys = {resource_key(path, saga_id, msgspec.Raw(input)) for path in definition.resources}
    return tuple(sorted(key for key in keys if key is not None))


def begin(
    definition: Saga,
    saga_id: str,
    input: msgspec.Raw | bytes,
    now: int,
    *,
    correlation_id: str | None = None,
    traceparent: str | None = None,
    waiting: bool = False,
) -> Decision:
    """A new saga with this JSON document as input. `waiting`: a saga before it holds one of its resources; it sends nothing
    until it is `Released`. The correlation id is the saga's id unless one is given.
    """
    raw = msgspec.Raw(input)
    saga = SagaState(
        id=saga_id,
        definition=definition.name,
        version=definition.version,
        status="waiting" if waiting else "running",
        input=raw,
        steps={step.name: StepState() for step in definition.steps},
        resources=resources(definition, saga_id, raw) if definition.resources else (),
        correlation_id=correlation_id or saga_id,
        traceparent=traceparent,
        started=now,
        changed=now,
        deadline=None if definition.timeout is None else now + microseconds(definition.timeout),
    )
    course = Course(definition, saga, now)
    course.tell("SagaStarted")
    advance(course)
    return course.decision()


def decide(definition: Saga, saga: SagaState, happening: Happening, now: int) -> Decision:
    """What follows from what has happened. What does not concern the saga changes nothing but its counts.

    Raises UsageError for an order that cannot be carried out, saying why; the saga stands as it did. Any other exception
    means that the saga cannot be decided: `quarantine` it.
    """
    course = Course(definition, saga, now)
    match happening:
        case Replied():
            return _replied(course, happening)
        case Ordered():
            obey(course, happening)
        case Released() if saga.status == "waiting":
            course.change(status="running")
            course.tell("SagaReleased")
        case Due() if saga.status not in ENDED and saga.quarantine is None:
            _due(course)
        case _:
            return course.decision()
    advance(course)
    return course.decision()


def quarantine(saga: SagaState, cause: str, now: int) -> Decision:
    """A saga that cannot be decided, parked as a whole: it sends nothing and takes nothing until an operator resumes it. Its
    definition need not be known."""
    course = Course(None, saga, now)
    if saga.status not in ENDED and saga.quarantine is None:
        course.change(quarantine=cause)
        course.tell("SagaParked", cause=cause)
    return course.decision()


def _replied(course: Course, reply: Replied) -> Decision:
    named = classified(course.saga, reply.cause)
    if isinstance(named, str):
        course.change(**{named: getattr(course.saga, named) + 1})
        return course.decision(ignored=named)
    step, direction = named
    if reply.success:
        if direction == "do":
            course.change(replies={**course.saga.replies, step: reply.data})
        course.go(step, "success", answered=True)
    else:
        course.go(
            step, failure_trigger(course, step, direction, reply), answered=True, cause=reply.reason or "no reason given"
        )
    advance(course)
    return course.decision()


def _due(course: Course) -> None:
    """Look at each step whose time has come."""
    for name, state in course.steps.items():
        if state.due is None or state.due > course.now:
            continue
        if state.status in ("resting", "undo-resting"):
            course.go(name, "rested")
        else:
            course.go(name, "silence" if course.may_repeat(name) else "lasting silence", cause="no answer in time")
