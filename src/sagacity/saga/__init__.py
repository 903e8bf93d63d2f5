"""Sagas: transactions over several services, each step of which can be undone, or is bound to succeed in the end.

What defines and decides sagas is here at once. What runs them needs PostgreSQL's driver (`pip install '.[saga]'`),
and is loaded on first use: `Orchestrator`, `Participant`, and what handlers are given and may raise.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sagacity.saga.definition import Effect, Retry, Saga, Step
from sagacity.saga.happenings import Due, Happening, Ordered, Released, Replied
from sagacity.saga.state import SagaState, StepState

if TYPE_CHECKING:
    from sagacity.saga.handlers import BusinessFailure, Command
    from sagacity.saga.orchestrator import Orchestrator
    from sagacity.saga.participant import Participant
    from sagacity.saga.patience import Patience
    from sagacity.saga.postgres.schema import install, install_participant
    from sagacity.saga.postgres.transaction import Transaction

__all__ = [
    "BusinessFailure", "Command", "Due", "Effect", "Happening", "Orchestrator", "Ordered", "Participant", "Patience",
    "Released", "Replied", "Retry", "Saga", "SagaState", "Step", "StepState", "Transaction", "install",
    "install_participant",
]  # fmt: skip

_HOME_OF = {
    "BusinessFailure": "sagacity.saga.handlers",
    "Command": "sagacity.saga.handlers",
    "Orchestrator": "sagacity.saga.orchestrator",
    "Participant": "sagacity.saga.participant",
    "Patience": "sagacity.saga.patience",
    "Transaction": "sagacity.saga.postgres.transaction",
    "install": "sagacity.saga.postgres.schema",
    "install_participant": "sagacity.saga.postgres.schema",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'sagacity.saga' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
