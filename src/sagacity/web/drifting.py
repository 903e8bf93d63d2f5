"""What has changed in how cases go, kept for a while: for the page and for metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import NamedTuple

from sagacity.discover.drift import Drift
from sagacity.discover.periods import MONDAY
from sagacity.discover.standing import drift_of
from sagacity.errors import SagacityError
from sagacity.ledger.live import LiveLedger, StoredWorkflow
from sagacity.web.reading import Readings
from sagacity.workflow.durations import UNITS
from sagacity.workflow.model import Workflow

__all__ = ["PERIODS", "Drifting"]

PERIODS: dict[str, tuple[int, int]] = {
    "hour": (UNITS["h"], 3 * 24),
    "day": (UNITS["d"], 60),
    "week": (UNITS["w"], 53),
}
"""Widths in microseconds, and how many periods are looked back upon."""

_SHOWN, _MEASURED = 30.0, 300.0
"""Seconds that what was found is good for: on a page, and for metrics."""

_BY = "day"


class _Kept(NamedTuple):
    at: float
    revision: int
    drift: Drift


class Drifting:
    """Looks at most once in a while for each workflow and width, whoever asks; time is that of `clock`, in seconds.

    May be asked from any thread. `of` waits for the ledger, which reads every case of the periods, and so belongs on a
    worker thread; who comes for the same workflow and width while somebody looks waits for that, and nobody else. `kept`
    waits for no look: it has them done in the background, by `aside`, which is given what to do (one thread of its own,
    unless stated).
    """

    def __init__(
        self,
        ledger: LiveLedger,
        readings: Readings,
        now: Callable[[], int],
        clock: Callable[[], float] = monotonic,
        aside: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._ledger, self._readings, self._now = ledger, readings, now
        self._clock = clock
        self._lock = threading.Lock()
        self._looking: dict[tuple[str, str], threading.Lock] = {}
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._tried: dict[str, float] = {}
        self._worker: ThreadPoolExecutor | None = None
        self._aside = aside or self._on_a_thread
        self._closed = False

    def close(self) -> None:
        """Begin no look any more; waits for one that is under way in the background."""
        with self._lock:
            self._closed, worker = True, self._worker
        if worker is not None:
            worker.shutdown(cancel_futures=True)

    def of(self, name: str, by: str = _BY) -> Drift | None:
        """What has changed in a workflow's cases, by `hour`, `day` or `week`; None where there is no such workflow. What was
        found less than half a minute ago is not looked for again. Raises LedgerError."""
        found = self._readings.named(name)
        return None if found is None else self._look(*found, by)

    def kept(self) -> list[Drift]:
        """What was last found of each workflow by day, however long ago. Where that is five minutes or more, or there is
        nothing, it is looked for in the background; a look that fails is tried again after as long. Raises LedgerError."""
        found = []
        for stored, workflow in self._readings.all():
            with self._lock:
                kept = self._kept.get((stored.name, _BY))
                tried = max(self._tried.get(stored.name, 0.0), kept.at if kept is not None else 0.0)
                known = stored.name in self._tried or kept is not None
                due = not self._closed and (not known or self._clock() >= tried + _MEASURED)
                if due:
                    self._tried[stored.name] = self._clock()
            if due:
                self._aside(partial(self._try, stored, workflow))
            if kept is not None:
                found.append(kept.drift)
        return found

    def _try(self, stored: StoredWorkflow, workflow: Workflow) -> None:
        try:
            self._look(stored, workflow, _BY)
        except SagacityError:
            return  # what was found before stands, and metrics show how old it is

    def _look(self, stored: StoredWorkflow, workflow: Workflow, by: str) -> Drift:
        key = stored.name, by
        with self._lock:
            looking = self._looking.setdefault(key, threading.Lock())
        with looking:
            kept = self._kept.get(key)
            if kept is not None and self._clock() < kept.at + _SHOWN and kept.revision == stored.revision:
                return kept.drift
            width, most = PERIODS[by]
            reached = self._ledger.as_of()
            until = min(self._now(), reached) if reached is not None else self._now()
            since = MONDAY + ((until - MONDAY) // width - most + 1) * width
            drift = drift_of(workflow, self._ledger.by_period(stored.name, MONDAY, width, since), MONDAY, width)
            with self._lock:
                self._kept[key] = _Kept(self._clock(), stored.revision, drift)
            return drift

    def _on_a_thread(self, look: Callable[[], None]) -> None:
        with self._lock:
            if self._closed:
                return
            if self._worker is None:
                self._worker = ThreadPoolExecutor(1, thread_name_prefix="drift")
            self._worker.submit(look)
