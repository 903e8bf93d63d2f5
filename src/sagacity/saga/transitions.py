"""How a step goes on: the table that `sagacity.saga.decide` reads, and that the documentation's picture is drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from sagacity.saga.decision import SagaEventType
from sagacity.saga.definition import Kind
from sagacity.saga.state import StepStatus

__all__ = [
    "AWAITING",
    "CLEAR",
    "IN_FLIGHT",
    "PARKED",
    "SETTLED",
    "TO_UNDO",
    "TRANSITIONS",
    "Send",
    "Transition",
    "Trigger",
    "find",
]

Trigger: TypeAlias = Literal[
    "ready", "success", "passing failure", "failure", "silence", "lasting silence", "rested", "turned back", "undo",
    "retry", "skip",
]  # fmt: skip
"""What can happen to a step. `ready`: all before it is done. `passing failure`: one after which it is given again.
`failure`: one
for good. `silence`: no answer in time, and it is asked for again; `lasting silence`: for good. `rested`: its pause is over.
`turned back`: the saga is to be undone. `undo`: all after it has been undone. `retry`, `skip`: an operator's orders."""

Send: TypeAlias = Literal["new", "same", "unanswered"]
"""Which command is sent: one of a new id, the last one again, or the last one again unless it has been answered."""


class Transition(msgspec.Struct, frozen=True):
    """From a status, by a trigger, for steps of these kinds, to another status; what is sent, and what is told."""

    status: StepStatus
    trigger: Trigger
    to: StepStatus
    send: Send | None = None
    tells: tuple[SagaEventType, ...] = ()
    kinds: tuple[Kind, ...] = ("compensatable", "pivot", "retriable")


_UNDOABLE: tuple[Kind, ...] = ("compensatable",)
_FALLIBLE: tuple[Kind, ...] = ("compensatable", "pivot")
_RETRIABLE: tuple[Kind, ...] = ("retriable",)
_PIVOT: tuple[Kind, ...] = ("pivot",)
_FIRM: tuple[Kind, ...] = ("pivot", "retriable")

TRANSITIONS: tuple[Transition, ...] = (
    Transition("pending", "ready", "asked", "new"),
    Transition("asked", "success", "done", None, ("StepCompleted",)),
    Transition("asked", "passing failure", "resting", None, ("StepRetried",)),
    Transition("asked", "failure", "failed", None, ("StepFailed",), _FALLIBLE),
    Transition("asked", "failure", "parked", None, ("SagaParked",), _RETRIABLE),
    Transition("asked", "silence", "asked", "same", ("StepRetried",)),
    Transition("asked", "lasting silence", "unknown", None, ("StepTimedOut",), _UNDOABLE),
    Transition("asked", "lasting silence", "parked", None, ("SagaParked",), _FIRM),
    Transition("resting", "rested", "asked", "new"),
    Transition("resting", "turned back", "failed", None, ("StepFailed",), _FALLIBLE),
    Transition("parked", "success", "done", None, ("SagaResumed", "StepCompleted"), _FIRM),
    Transition("parked", "failure", "failed", None, ("SagaResumed", "StepFailed"), _PIVOT),
    Transition("parked", "failure", "parked", None, ("SagaParked",), _RETRIABLE),
    Transition("parked", "retry", "asked", "unanswered", ("SagaResumed",), _FIRM),
    Transition("parked", "skip", "skipped", None, ("SagaResumed", "StepSkipped"), _FIRM),
    Transition("done", "undo", "undoing", "new", (), _UNDOABLE),
    Transition("unknown", "undo", "undoing", "new", (), _UNDOABLE),
    Transition("undoing", "success", "undone", None, ("StepCompensated",), _UNDOABLE),
    Transition("undoing", "passing failure", "undo-resting", None, ("CompensationRetried",), _UNDOABLE),
    Transition("undoing", "failure", "undo-parked", None, ("SagaParked",), _UNDOABLE),
    Transition("undoing", "silence", "undoing", "same", ("CompensationRetried",), _UNDOABLE),
    Transition("undoing", "lasting silence", "undo-parked", None, ("SagaParked",), _UNDOABLE),
    Transition("undo-resting", "rested", "undoing", "new", (), _UNDOABLE),
    Transition("undo-parked", "success", "undone", None, ("SagaResumed", "StepCompensated"), _UNDOABLE),
    Transition("undo-parked", "failure", "undo-parked", None, ("SagaParked",), _UNDOABLE),
    Transition("undo-parked", "retry", "undoing", "unanswered", ("SagaResumed",), _UNDOABLE),
    Transition("undo-parked", "skip", "undo-skipped", None, ("SagaResumed", "CompensationSkipped"), _UNDOABLE),
)
"""All there are: what does not stand here does not happen."""

AWAITING: Mapping[str, frozenset[StepStatus]] = {
    "do": frozenset(("asked", "parked")),
    "undo": frozenset(("undoing", "undo-parked")),
}
"""By direction: in which statuses the answer to the newest command, unless it has come, still counts. What is parked for
want of an answer goes on awaiting it."""

IN_FLIGHT: frozenset[StepStatus] = frozenset(("asked", "undoing"))
"""A command is under way."""

PARKED: frozenset[StepStatus] = frozenset(("parked", "undo-parked"))
"""An operator's order, or an answer that comes after all, is needed."""

SETTLED: frozenset[StepStatus] = frozenset(("done", "skipped"))
"""What comes after may begin."""

TO_UNDO: frozenset[StepStatus] = frozenset(("done", "unknown"))
"""There is, or may be, something to undo."""

CLEAR: frozenset[StepStatus] = frozenset(("pending", "failed", "undone", "undo-skipped"))
"""There is nothing to undo, or no longer."""

_TABLE = {(row.status, row.trigger, kind): row for row in TRANSITIONS for kind in row.kinds}


def find(status: StepStatus, trigger: Trigger, kind: Kind) -> Transition | None:
    """How a step of this kind and status goes on; None where it does not."""
    return _TABLE.get((status, trigger, kind))
