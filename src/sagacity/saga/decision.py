"""What `sagacity.saga.decide` decides: the saga as it stands now, and what is to be sent, told and looked at again.

All times are integers in microseconds since 1970, UTC. `sagacity.saga.messages` makes messages of commands and events.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from sagacity.saga.state import Direction, Ignored, SagaState

__all__ = ["Command", "Decision", "SagaEvent", "SagaEventType"]

SagaEventType: TypeAlias = Literal[
    "SagaStarted", "SagaReleased", "StepCompleted", "StepRetried", "StepFailed", "StepTimedOut", "StepSkipped",
    "CompensationStarted", "StepCompensated", "CompensationRetried", "CompensationSkipped",
    "SagaParked", "SagaResumed", "SagaMigrated", "SagaCompleted", "SagaCompensated", "SagaAbandoned",
]  # fmt: skip
"""What is told of a saga. `StepRetried` and `CompensationRetried`: given again, for the cause that stands with it.
`StepFailed` and `StepTimedOut` are for good. `CompensationStarted`: it has turned back. `SagaParked` and `SagaResumed`
name the step, where it is one."""


class Command(msgspec.Struct, frozen=True):
    """A command to be sent: of a step, or of its compensation. `time` is when it was sent first; `again`: it was sent
    before, with the same id and content."""

    id: str
    step: str
    direction: Direction
    attempt: int
    type: str
    topic: str
    data: msgspec.Raw
    time: int
    again: bool = False


class SagaEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that has happened to a saga. `number` counts its events from 1.

    `step`, `command` and `attempt` are those of the command that it is about; `cause` says why, `by` who ordered it.
    """

    type: SagaEventType
    time: int
    saga: str
    definition: str
    version: int
    number: int
    step: str | None = None
    command: str | None = None
    attempt: int | None = None
    cause: str | None = None
    by: str | None = None


class Decision(msgspec.Struct, frozen=True):
    """What follows. `due` is the earliest time at which a timer must fire, None where nothing is waited for.

    `ignored` says why a reply did not count. Commands and events are in the order in which they are to be published.
    """

    saga: SagaState
    commands: tuple[Command, ...] = ()
    events: tuple[SagaEvent, ...] = ()
    due: int | None = None
    ignored: Ignored | None = None
