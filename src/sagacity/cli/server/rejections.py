"""Told in the log: that records of a source are rejected, and why."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from sagacity.errors import SagacityError
from sagacity.ledger.live import LiveLedger
from sagacity.reconcile.clock import Clock

__all__ = ["Rejections"]

_EVERY = 60_000_000
_PAUSE = 1.0
_SHOWN = 500


class Rejections:
    """Looks, whenever something has changed, whether more records are rejected than were told of.

    `tell` is given the source, how many more, and the reason of the first of them, at most once a minute for each source.
    Those that there were before are not told of.
    """

    def __init__(self, ledger: LiveLedger, clock: Clock, tell: Callable[[str, int, str], None]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._tell = tell
        self._told = self._counted()
        self._last: dict[str, int] = {}
        self._woken = threading.Event()
        self._stopped = threading.Event()

    def wake(self, *_: object) -> None:
        """Look soon. Takes and ignores what a listener of `Live` is told."""
        self._woken.set()

    def run(self) -> None:
        """Look, at most once a second, until `stop`; what waits for its minute is looked at again."""
        while not self._stopped.is_set():
            waits = False
            with suppress(SagacityError):  # a ledger that cannot be read has troubles of its own, told elsewhere
                waits = self.look()
            self._stopped.wait(_PAUSE)
            self._woken.wait(_PAUSE if waits else None)
            self._woken.clear()

    def stop(self) -> None:
        """Have `run` end."""
        self._stopped.set()
        self._woken.set()

    def look(self) -> bool:
        """Tell of what there is to tell; whether some of it waits for its minute to be over."""
        now, waits = self._clock.now(), False
        for source, count in self._counted().items():
            more = count - self._told[source]
            if more <= 0:
                continue
            if now - self._last.get(source, now - _EVERY) < _EVERY:
                waits = True
                continue
            refusals = self._ledger.refusals(limit=min(more, _SHOWN)).items
            reasons = [each.reason for each in refusals if each.source == source]
            self._last[source], self._told[source] = now, count
            self._tell(source, more, reasons[-1] if reasons else "")
        return waits

    def _counted(self) -> Counter[str]:
        counted: Counter[str] = Counter()
        for part in self._ledger.parts():
            counted[part.source] += part.rejected
        return counted
