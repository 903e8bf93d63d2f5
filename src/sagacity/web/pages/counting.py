"""Counts of every workflow, shared by all who look at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from sagacity.ledger.live import Counts, LiveLedger

__all__ = ["Counting"]


class Counting:
    """Keeps the latest counts for a moment, so that a hundred open pages ask the ledger no more often than one.

    May be asked from any thread; who comes while somebody counts waits for that count. `moment` is in seconds, of `clock`.
    """

    def __init__(self, ledger: LiveLedger, moment: float = 1.0, clock: Callable[[], float] = monotonic) -> None:
        self._ledger = ledger
        self._moment = moment
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: list[Counts] = []
        self._until: float | None = None

    def all(self) -> list[Counts]:
        """The counts of each workflow, in the ledger's order."""
        with self._lock:
            if self._until is None or self._clock() >= self._until:
                self._kept = [self._ledger.counts(stored.name) for stored in self._ledger.workflows()]
                self._until = self._clock() + self._moment
            return self._kept

    def again(self) -> None:
        """Something has been done: the next who asks is given new counts."""
        with self._lock:
            self._until = None
