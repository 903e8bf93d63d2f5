"""What has changed in how cases go, kept for a while: for the page and for metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from sagacity.discover.drift import Drift
from sagacity.discover.periods import MONDAY
from sagacity.discover.standing import drift_of
from sagacity.ledger.live import LiveLedger
from sagacity.web.reading import Readings
from sagacity.workflow.durations import UNITS

__all__ = ["PERIODS", "Drifting"]

PERIODS: dict[str, tuple[int, int]] = {
    "hour": (UNITS["h"], 3 * 24),
    "day": (UNITS["d"], 60),
    "week": (UNITS["w"], 53),
}
"""Widths in microseconds, and how many periods are looked back upon."""

_SHOWN, _MEASURED = 30.0, 300.0
"""Seconds that what was found is good for: on a page, and for metrics."""


class Drifting:
    """Looks at most once in a while for each workflow and width, whoever asks; time is that of `clock`, in seconds.

    May be asked from any thread; who comes while somebody looks waits for that. It reads every case of the periods, and so
    belongs on a worker thread.
    """

    def __init__(
        self,
        ledger: LiveLedger,
        readings: Readings,
        now: Callable[[], int],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._ledger, self._readings, self._now = ledger, readings, now
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[float, int, Drift]] = {}

    def of(self, name: str, by: str = "day", good_for: float = _SHOWN) -> Drift | None:
        """What has changed in a workflow's cases, by `hour`, `day` or `week`; None where there is no such workflow. What was
        found less than `good_for` seconds ago is not looked for again, unless there was nothing yet."""
        found = self._readings.named(name)
        if found is None:
            return None
        stored, workflow = found
        width, most = PERIODS[by]
        with self._lock:
            kept = self._kept.get((name, by))
            if kept is not None and self._clock() < kept[0] + good_for and kept[1] == stored.revision and kept[2].periods:
                return kept[2]
            reached = self._ledger.as_of()
            until = min(self._now(), reached) if reached is not None else self._now()
            since = MONDAY + ((until - MONDAY) // width - most + 1) * width
            drift = drift_of(workflow, self._ledger.by_period(name, MONDAY, width, since), MONDAY, width)
            self._kept[name, by] = (self._clock(), stored.revision, drift)
            return drift

    def all(self) -> list[Drift]:
        """Of each workflow, by day."""
        found = [self.of(stored.name, good_for=_MEASURED) for stored, _ in self._readings.all()]
        return [each for each in found if each is not None]
