"""What an operator orders, and which orders cannot be carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sagacity.errors import UsageError
from sagacity.saga.decide.advance import turn_back, turn_back_if_needed
from sagacity.saga.decide.course import Course
from sagacity.saga.happenings import Order, Ordered
from sagacity.saga.state import ENDED
from sagacity.saga.transitions import IN_FLIGHT, PARKED, Trigger

__all__ = ["obey"]


def obey(course: Course, order: Ordered) -> None:
    """Carry an order out. Raises UsageError where that cannot be, saying why and what can be done instead."""
    saga = course.saga
    if saga.status in ENDED:
        raise UsageError(f"saga {saga.id} is {saga.status}", hint="nothing can be ordered of a saga that has ended")
    if order.step is not None and order.step not in course.steps:
        raise UsageError(f"saga {saga.id} has no step {order.step!r}", hint=f"its steps are {', '.join(course.steps)}")
    _ORDERS[order.order](course, order)


def _retry(course: Course, order: Ordered) -> None:
    _needs_no_quarantine(course)
    _go(course, _parked_step(course, order), "retry", order)


def _skip(course: Course, order: Ordered) -> None:
    _needs_no_quarantine(course)
    _go(course, _parked_step(course, order), "skip", order)


def _resume(course: Course, order: Ordered) -> None:
    """Lift the quarantine, and retry all that is parked."""
    parked = [name for name, state in course.steps.items() if state.status in PARKED]
    if course.saga.quarantine is None and not parked:
        raise UsageError(f"saga {course.saga.id} is not parked", hint="only a parked saga can be resumed")
    if _lift(course, order):
        turn_back_if_needed(course)
        _ask_again(course)
    for name in parked:
        _go(course, name, "retry", order)


def _compensate(course: Course, order: Ordered) -> None:
    saga = course.saga
    if saga.direction == "undo":
        raise UsageError(f"saga {saga.id} has turned back already", hint="retry or skip the compensation that is parked")
    if not course.may_turn_back():
        raise UsageError(
            f"saga {saga.id} may be past its point of no return, and is not undone",
            hint="retry the step that is parked, skip it if you know it to be done, or abandon the saga",
        )
    lifted = _lift(course, order)
    turn_back(course, order.reason or "ordered by an operator", order.by)
    if lifted:
        _ask_again(course)


def _abandon(course: Course, order: Ordered) -> None:
    saga = course.saga
    if saga.quarantine is None and not any(state.status in PARKED for state in course.steps.values()):
        raise UsageError(
            f"saga {saga.id} is {saga.status}, not parked", hint="let it end or park, or order it to be compensated"
        )
    course.change(status="abandoned", ended=course.told_at)
    course.tell("SagaAbandoned", cause=order.reason or saga.quarantine or "ordered by an operator", by=order.by)


_ORDERS: Mapping[Order, Callable[[Course, Ordered], None]] = {
    "retry": _retry,
    "skip": _skip,
    "compensate": _compensate,
    "abandon": _abandon,
    "resume": _resume,
}


def _go(course: Course, step: str, trigger: Trigger, order: Ordered) -> None:
    if not course.go(step, trigger, cause=order.reason, by=order.by):
        raise UsageError(
            f"step {step!r} of saga {course.saga.id} is {course.steps[step].status}, not parked",
            hint="only a parked step can be retried or skipped",
        )


def _parked_step(course: Course, order: Ordered) -> str:
    if order.step is not None:
        return order.step
    parked = [name for name, state in course.steps.items() if state.status in PARKED]
    if len(parked) == 1:
        return parked[0]
    if not parked:
        raise UsageError(f"saga {course.saga.id} has no parked step", hint="only a parked step can be retried or skipped")
    raise UsageError(f"saga {course.saga.id} has {len(parked)} parked steps", hint=f"say which: {', '.join(parked)}")


def _needs_no_quarantine(course: Course) -> None:
    if course.saga.quarantine is not None:
        raise UsageError(
            f"saga {course.saga.id} is in quarantine: {course.saga.quarantine}",
            hint="mend the cause, then resume it",
        )


def _lift(course: Course, order: Ordered) -> bool:
    """Take the saga out of quarantine; False where it is in none."""
    if course.saga.quarantine is None:
        return False
    course.change(quarantine=None)
    course.tell("SagaResumed", cause=order.reason, by=order.by)
    return True


def _ask_again(course: Course) -> None:
    """Answers that came during a quarantine did not count. What was in flight is sent again, unless the saga has turned
    back: then a step's outcome is unknown, and it is undone."""
    for name, state in course.steps.items():
        if state.status == "asked" and course.saga.direction == "undo":
            course.go(name, "lasting silence", cause="its answer may have come during a quarantine")
        elif state.status in IN_FLIGHT:
            course.send_again(name)
