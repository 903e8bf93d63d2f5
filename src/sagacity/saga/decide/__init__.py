"""What is done next in a saga: a pure function of its definition, where it stands, what has happened, and the time.

    decision = begin(definition, "purchase-17", b'{"items": []}', now)
    decision = decide(definition, decision.saga, Replied("purchase-17/reserve/do/1", success=True), now)

Whoever calls keeps `decision.saga`, sends `decision.commands`, publishes `decision.events`, and calls again with `Due`
when `decision.due` has come: in one transaction, or the saga's promises do not hold. All times are microseconds since
1970, UTC; a clock that jumps makes commands be sent again, or later, and nothing worse.
"""

from __future__ import annotations

import msgspec

from sagacity.errors import UsageError
from sagacity.saga.decide.advance import advance, turn_back_if_needed
from sagacity.saga.decide.course import Course
from sagacity.saga.decide.orders import obey
from sagacity.saga.decide.replies import classified, failure_trigger
from sagacity.saga.decide.timing import microseconds
from sagacity.saga.decision import Decision
from sagacity.saga.definition import Saga
from sagacity.saga.happenings import Due, Happening, Ordered, Released, Replied
from sagacity.saga.paths import resource_key
from sagacity.saga.state import ENDED, SagaState, StepState
from sagacity.saga.transitions import IN_FLIGHT

__all__ = ["SILENT", "begin", "decide", "quarantine", "resources", "undefined"]

SILENT = "no answer in time"
"""The cause that stands with what is done for want of an answer."""


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
        waiting=waiting,
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
        case Released() if saga.waiting and saga.status not in ENDED:
            course.change(waiting=False)
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


def undefined(saga: SagaState, order: Ordered, now: int) -> Decision:
    """What follows from an order for a saga whose definition is not known, or cannot be read: where it is parked it can be
    abandoned. Raises UsageError for every other order."""
    if order.order != "abandon" and saga.status not in ENDED:
        raise UsageError(
            f"saga {saga.id} runs {saga.definition} {saga.version}, which is not known, or cannot be read",
            hint="give the orchestrator that definition and start it again, or abandon the saga",
        )
    course = Course(None, saga, now)
    obey(course, order)
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
    """Look at each step whose time has come: first at what may turn the saga back, since then nothing is sent again."""
    turn_back_if_needed(course)
    for name, state in course.steps.items():
        if state.status in IN_FLIGHT and _is_due(course, state) and not course.may_repeat(name):
            course.go(name, "lasting silence", cause=SILENT)
    turn_back_if_needed(course)
    for name, state in course.steps.items():
        if not _is_due(course, state):
            continue
        if state.status in IN_FLIGHT:
            course.go(name, "silence" if course.may_repeat(name) else "lasting silence", cause=SILENT)
        else:
            course.go(name, "rested")


def _is_due(course: Course, state: StepState) -> bool:
    return state.due is not None and state.due <= course.now
