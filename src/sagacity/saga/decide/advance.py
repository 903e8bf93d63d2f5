"""What a saga does of itself once something has happened: begin what is ready, turn back, undo, end."""

from __future__ import annotations

from sagacity.saga.decide.course import Course
from sagacity.saga.state import ENDED, SagaStatus
from sagacity.saga.transitions import CLEAR, SETTLED, TO_UNDO

__all__ = ["advance", "turn_back", "turn_back_if_needed"]


def advance(course: Course) -> None:
    """Go as far as it goes without anything more having to happen."""
    if course.saga.status in ENDED or course.saga.quarantine is not None:
        return
    turn_back_if_needed(course)
    if course.saga.direction == "undo":
        _undo(course)
    elif not course.saga.waiting:
        _do(course)


def turn_back(course: Course, cause: str, by: str | None = None) -> None:
    """Send nothing further; a step that only rested between attempts has failed."""
    course.change(direction="undo", cause=cause, waiting=False)
    course.tell("CompensationStarted", cause=cause, by=by)
    for name, state in course.steps.items():
        if state.status == "resting":
            course.go(name, "turned back", cause=state.cause)


def turn_back_if_needed(course: Course) -> None:
    """Turn back where a step has failed for good, or the saga's time is up and nothing stands against it."""
    if course.saga.direction == "undo":
        return
    for name, state in course.steps.items():
        if state.status in ("failed", "unknown"):
            turn_back(course, f"{name}: {state.cause}")
            return
    deadline = course.saga.deadline
    if deadline is not None and deadline <= course.now and course.may_turn_back():
        turn_back(course, "the saga's time is up")


def _do(course: Course) -> None:
    for name, before in course.definition.before.items():
        if course.steps[name].status == "pending" and all(course.steps[other].status in SETTLED for other in before):
            course.go(name, "ready")
    if all(state.status in SETTLED for state in course.steps.values()):
        _end(course, "completed")


def _undo(course: Course) -> None:
    """Once all that was in flight has settled, undo in the reverse order, each step when all after it are clear."""
    if any(state.status == "asked" for state in course.steps.values()):
        return
    for name, following in course.definition.following.items():
        if course.steps[name].status in TO_UNDO and all(course.steps[other].status in CLEAR for other in following):
            course.go(name, "undo")
    if all(state.status in CLEAR for state in course.steps.values()):
        _end(course, "compensated")


def _end(course: Course, status: SagaStatus) -> None:
    course.change(status=status, ended=course.told_at)
    course.tell("SagaCompleted" if status == "completed" else "SagaCompensated", cause=course.saga.cause)
