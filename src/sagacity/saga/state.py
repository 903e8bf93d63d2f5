"""A saga under way: frozen values, which `sagacity.saga.decide` makes anew from the last ones and what has happened.

All times are integers in microseconds since 1970, UTC. What participants and callers gave is kept as the JSON text that it
was. `encode` and `decode` write a state as JSON and read it back without loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "ENDED", "Direction", "Ignored", "SagaState", "SagaStatus", "StepState", "StepStatus", "decode", "encode",
]  # fmt: skip

SagaStatus: TypeAlias = Literal["waiting", "running", "compensating", "parked", "completed", "compensated", "abandoned"]
"""`waiting`: for a resource that a saga before it holds. `running`: towards completion. `compensating`: it has turned
back, lets what is in flight settle and then undoes what was done. `parked`: something in it needs an operator; the rest
of it goes on as far as it can. `completed`, `compensated` and `abandoned` are for good."""

ENDED: frozenset[SagaStatus] = frozenset(("completed", "compensated", "abandoned"))
"""Nothing more happens to a saga of such a status."""

Direction: TypeAlias = Literal["do", "undo"]
"""Whether a command does a step, or undoes it."""

StepStatus: TypeAlias = Literal[
    "pending", "asked", "resting", "done", "failed", "unknown", "parked", "skipped",
    "undoing", "undo-resting", "undone", "undo-parked", "undo-skipped",
]  # fmt: skip
"""`pending`: nothing was sent. `asked`: its command's answer is awaited. `resting`: it failed, and a pause goes by before
it is given anew. `done`. `failed`: for good, without effect. `unknown`: no answer came; perhaps done. `parked`: an
operator must say how to go on. `skipped`: an operator said to go on as if it were done. `undoing` to `undo-skipped`: the
same for its compensation."""

Ignored: TypeAlias = Literal["late", "foreign", "doubled"]
"""Why a reply does not count. `late`: it answers a command of this saga that is no longer awaited. `foreign`: it answers
none that this saga gave. `doubled`: it answers a command that was answered before."""


class StepState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a step has come.

    `attempt` and `undo_attempt` number its newest command and compensation from 1; 0 where none was sent. `sends` counts how
    often it was given since it was last begun, in the direction in which it is now. `answered` and `undo_answered`: whether
    the newest has its answer. `asked` is when the newest command was sent first, `due` when it is to be looked at again.
    `cause` says why it failed, timed out or is parked.
    """

    status: StepStatus = "pending"
    attempt: int = 0
    undo_attempt: int = 0
    sends: int = 0
    answered: bool = False
    undo_answered: bool = False
    asked: int | None = None
    due: int | None = None
    cause: str | None = None


class SagaState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A saga under way.

    `steps` has a state for every step, in the order of the definition. `replies` holds what participants answered to
    steps that were done. `direction` is `undo` from when it turned back. `resources` are the keys that it locks; while it
    is `waiting`, a saga before it holds one of them. `deadline` is when it turns back unless it is past its point of no
    return. `due` is the earliest time at which a timer must fire. `cause` says why it turned back, `quarantine` why it
    could not be decided. `events` counts the events that it has published; `late`, `foreign` and `doubled` the replies
    that did not count.
    """

    id: str
    definition: str
    version: int
    status: SagaStatus
    input: msgspec.Raw
    steps: Mapping[str, StepState]
    replies: Mapping[str, msgspec.Raw] = {}
    direction: Direction = "do"
    waiting: bool = False
    resources: tuple[str, ...] = ()
    correlation_id: str | None = None
    traceparent: str | None = None
    started: int
    changed: int
    ended: int | None = None
    deadline: int | None = None
    due: int | None = None
    cause: str | None = None
    quarantine: str | None = None
    events: int = 0
    late: int = 0
    foreign: int = 0
    doubled: int = 0


_decoder = msgspec.json.Decoder(SagaState)


def encode(saga: SagaState) -> bytes:
    """The state as JSON."""
    return msgspec.json.encode(saga)


def decode(document: bytes | str) -> SagaState:
    """The state that `encode` wrote. Raises msgspec.ValidationError where it is none."""
    return _decoder.decode(document)
