"""The clock port: whoever needs to know what time it is asks for one, so that tests own the time."""

from __future__ import annotations

from typing import Protocol

from sagacity.reconcile.instants import now

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Tells the time. May be asked from any thread."""

    def now(self) -> int:
        """Microseconds since 1970-01-01T00:00Z."""
        ...


class SystemClock:
    """The time of this machine."""

    def now(self) -> int:
        return now()
