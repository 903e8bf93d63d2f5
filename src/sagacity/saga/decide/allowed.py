"""What may be ordered of a saga now: each order is tried, and what would come of it is told. Nothing is done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import msgspec

from sagacity.errors import SagacityError, UsageError
from sagacity.saga.decide import decide, undefined
from sagacity.saga.decision import Decision
from sagacity.saga.definition import Saga
from sagacity.saga.happenings import Order, Ordered
from sagacity.saga.state import SagaState, SagaStatus
from sagacity.saga.transitions import PARKED

__all__ = ["Allowed", "allowed", "tried"]


class Allowed(msgspec.Struct, frozen=True):
    """An order that can be carried out. `sends` are the ids of the commands that it would send, `status` is how the saga
    would stand then."""

    order: Order
    step: str | None
    sends: tuple[str, ...]
    status: SagaStatus


def allowed(definition: Saga | None, saga: SagaState, now: int) -> tuple[Allowed, ...]:
    """The orders that can be carried out, for each step that they could be about. `definition` is None where it is not
    known: then a saga can be abandoned, and nothing else."""
    found = []
    for order in _candidates(saga):
        try:
            decision = tried(definition, saga, order, now)
        except SagacityError:
            continue
        sends = tuple(command.id for command in decision.commands)
        found.append(Allowed(order.order, order.step, sends, decision.saga.status))
    return tuple(found)


def tried(definition: Saga | None, saga: SagaState, order: Ordered, now: int) -> Decision:
    """What would come of an order. Raises UsageError, with what may be done instead, where it cannot be carried out."""
    try:
        return undefined(saga, order, now) if definition is None else decide(definition, saga, order, now)
    except UsageError:
        raise
    except Exception as error:
        told = f"saga {saga.id} cannot be decided: {type(error).__name__}: {error}"
        raise UsageError(told, hint="mend the cause, or abandon it once it is in quarantine") from error


def _candidates(saga: SagaState) -> Iterator[Ordered]:
    parked = [name for name, state in saga.steps.items() if state.status in PARKED]
    for order in get_args(Order):
        if order in ("retry", "skip"):
            yield from (Ordered(order, step) for step in parked)
        else:
            yield Ordered(order)
