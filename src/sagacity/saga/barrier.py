"""What a participant does with a command that has come, by what it has recorded of the same step before.

The record is kept in the participant's own database, in the transaction of the handler's effects, under (saga id, step,
direction, attempt). Whoever asks must hold all others off the same saga's step until its transaction has ended. So whatever
is redelivered, doubled or overtaken, a step's effects stand once or not at all, and never after they were undone.

This follows the sub-transaction barrier of dtm, with attempts added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from sagacity.saga.state import Direction

__all__ = ["REFUSED", "Action", "Ruling", "Standing", "rule"]

REFUSED = "refused: the step has been undone, or given anew since"
"""The reason in the answer to a command that came too late."""

Action: TypeAlias = Literal["execute", "answer", "record", "refuse"]
"""`execute`: run the handler; record its answer beside its effects. `answer`: say again what was answered before. `record`:
run nothing, record the ruling's answer and give it. `refuse`: the same, the answer being a failure."""


class Standing(msgspec.Struct, frozen=True):
    """What was answered to one command. `data` is the answer's data, `reason` a failure's."""

    direction: Direction
    attempt: int
    success: bool
    data: msgspec.Raw = msgspec.Raw(b"null")
    reason: str | None = None


class Ruling(msgspec.Struct, frozen=True):
    """What to do; with the answer to be given, unless the handler gives it."""

    action: Action
    answer: Standing | None = None


def rule(standing: Sequence[Standing], direction: Direction, attempt: int) -> Ruling:
    """What to do with a command, given all that is recorded of its saga's step."""
    for before in standing:
        if before.direction == direction and before.attempt == attempt:
            return Ruling("answer", before)
    return _undo(standing, attempt) if direction == "undo" else _do(standing, attempt)


def _do(standing: Sequence[Standing], attempt: int) -> Ruling:
    """A command is refused once it was undone or given anew, and not done twice where an earlier attempt has done it."""
    if any(before.direction == "undo" or before.attempt > attempt for before in standing):
        return Ruling("refuse", Standing("do", attempt, success=False, reason=REFUSED))
    for before in standing:
        if before.direction == "do" and before.success:
            return Ruling("record", Standing("do", attempt, success=True, data=before.data))
    return Ruling("execute")


def _undo(standing: Sequence[Standing], attempt: int) -> Ruling:
    """A compensation is executed where the step stands done and not yet undone; else there is nothing to undo."""
    undone = any(before.direction == "undo" and before.success for before in standing)
    done = any(before.direction == "do" and before.success for before in standing)
    if undone or not done:
        return Ruling("record", Standing("undo", attempt, success=True))
    return Ruling("execute")
