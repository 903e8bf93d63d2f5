"""What a saga has sent and awaits: made again from its state alone, so that it can be sent again at any time. Pure."""

from __future__ import annotations

from sagacity.saga.decide.course import Course
from sagacity.saga.decision import Command
from sagacity.saga.definition import Saga
from sagacity.saga.state import ENDED, SagaState
from sagacity.saga.transitions import IN_FLIGHT

__all__ = ["in_flight"]


def in_flight(definition: Saga, saga: SagaState) -> tuple[Command, ...]:
    """The commands whose answers are awaited, as they were sent: same ids, same content."""
    if saga.status in ENDED or saga.quarantine is not None:
        return ()
    course = Course(definition, saga, saga.changed)
    for name, state in saga.steps.items():
        if state.status in IN_FLIGHT:
            course.send_again(name)
    return course.decision().commands
