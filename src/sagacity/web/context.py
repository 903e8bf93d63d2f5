"""What every route works with: the live ledger, the push stream, settings, and who watches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec
from litestar.di import NamedDependency

from sagacity.ledger.live import LiveLedger
from sagacity.reconcile.live import Live
from sagacity.sources.push import PushStream
from sagacity.web.changes import Changes
from sagacity.web.drifting import Drifting
from sagacity.web.reading import Readings
from sagacity.web.saga_desk import SagaDesk
from sagacity.web.sessions import Sessions
from sagacity.web.settings import Settings
from sagacity.workflow.model import Workflow

__all__ = ["Here", "Served"]


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """Given to routes as the dependency `served`. `adopted` is called with each workflow that is judged by from now on.
    `sagas` are those that this server shows, if it shows any.

    Whatever reads from `ledger` may block for a while, and so belongs on a thread: `sync_to_thread=True`.
    """

    live: Live
    push: PushStream
    settings: Settings
    sessions: Sessions
    changes: Changes
    readings: Readings
    adopted: Callable[[Workflow], None]
    drifting: Drifting
    sagas: SagaDesk | None = None

    @property
    def ledger(self) -> LiveLedger:
        return self.live.ledger

    def now(self) -> int:
        """Microseconds since 1970-01-01T00:00Z."""
        return self.live.clock.now()


Here: TypeAlias = NamedDependency[Served]
"""The type of a route's parameter `served`."""
