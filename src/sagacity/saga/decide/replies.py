"""Whether a reply counts, and what a failure means."""

from __future__ import annotations

from sagacity.saga.decide.course import Course
from sagacity.saga.happenings import Replied
from sagacity.saga.identity import read_command_id
from sagacity.saga.state import ENDED, Direction, Ignored, SagaState
from sagacity.saga.transitions import AWAITING, Trigger

__all__ = ["classified", "failure_trigger"]


def classified(saga: SagaState, cause: str) -> tuple[str, Direction] | Ignored:
    """The step and direction that a reply to this command is about; or why it does not count.

    A reply counts only where it answers the command that is awaited now. An attempt before the newest has been answered,
    else there were none after it.
    """
    read = read_command_id(cause)
    if read is None or read[0] != saga.id or read[1] not in saga.steps:
        return "foreign"
    _, step, direction, attempt = read
    state = saga.steps[step]
    newest = state.attempt if direction == "do" else state.undo_attempt
    if not 1 <= attempt <= newest:
        return "foreign"
    if attempt < newest or (state.answered if direction == "do" else state.undo_answered):
        return "doubled"
    if saga.status in ENDED or saga.quarantine is not None or state.status not in AWAITING[direction]:
        return "late"
    return step, direction


def failure_trigger(course: Course, step: str, direction: Direction, reply: Replied) -> Trigger:
    """Whether the policy gives the command again after this failure."""
    definition = course.definition.by_name[step]
    on = "failure" if direction == "undo" or definition.kind == "retriable" else definition.retry_of(direction).on
    passing = on == "failure" or (on == "transient" and reply.transient)
    return "passing failure" if passing and course.may_repeat(step) else "failure"
