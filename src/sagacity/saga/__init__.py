"""Sagas: transactions over several services, each step of which can be undone, or is bound to succeed in the end."""

from __future__ import annotations

from sagacity.saga.definition import Effect, Retry, Saga, Step
from sagacity.saga.happenings import Due, Happening, Ordered, Released, Replied
from sagacity.saga.state import SagaState, StepState

__all__ = [
    "Due", "Effect", "Happening", "Ordered", "Released", "Replied", "Retry", "Saga", "SagaState", "Step", "StepState",
]  # fmt: skip
