"""What is measured while messages go through: the port that measurements are given to, and one that keeps them in memory.

Whoever measures calls `count`, `observe` and `level` with the name of a measure and its labels' values, in their order. It
must cost next to nothing and never raise. `sagacity.saga.metrics` has all measures in one table.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

import msgspec

__all__ = ["BOUNDS", "OUTBOX_MEASURES", "Distribution", "Labels", "Measure", "Meter", "Tally"]

Labels: TypeAlias = tuple[str, ...]
"""The values of a measure's labels, in their order."""

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""The upper bounds, in seconds, of what distributions tell apart."""


class Measure(msgspec.Struct, frozen=True):
    """Something that is measured, by its name at Prometheus. A `counter` only grows, from the start of the process; a
    `gauge` is how things stand; a `histogram` is a distribution of seconds."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str


OUTBOX_MEASURES = (
    Measure("sagacity_outbox_sent_total", "counter", ("outbox",), "Messages that the relay has sent"),
    Measure("sagacity_outbox_messages", "gauge", ("outbox",), "Messages that wait in the outbox"),
    Measure("sagacity_outbox_oldest_seconds", "gauge", ("outbox",), "For how long the oldest of them has waited"),
    Measure("sagacity_outbox_failing_topics", "gauge", ("outbox",), "Topics that are not there or may not be written to"),
    Measure("sagacity_dead_letters", "gauge", ("consumer",), "Dead letters that nobody has redriven"),
)
"""What a relay measures; `outbox` is the relay's name."""


class Meter(Protocol):
    """Where measurements go."""

    def count(self, name: str, labels: Labels, by: float = 1) -> None:
        """So many more of a counter."""
        ...

    def observe(self, name: str, labels: Labels, seconds: float) -> None:
        """One more of a histogram."""
        ...

    def levels(self, name: str, values: Mapping[Labels, float]) -> None:
        """How a gauge stands, for all values of its labels that whoever tells it knows of."""
        ...


class Distribution:
    """How many seconds fell up to each of the bounds, and beyond the last; and their sum."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0


class Tally:
    """A meter that keeps what it is told in memory, for one process. Any number of orchestrators, participants and relays
    may share one. Not for several threads at once; reading it from another thread is safe."""

    def __init__(self) -> None:
        self.counters: dict[str, dict[Labels, float]] = {}
        self.gauges: dict[str, dict[Labels, float]] = {}
        self.histograms: dict[str, dict[Labels, Distribution]] = {}

    def count(self, name: str, labels: Labels, by: float = 1) -> None:
        held = self.counters.get(name)
        if held is None:
            held = self.counters[name] = {}
        held[labels] = held.get(labels, 0) + by

    def observe(self, name: str, labels: Labels, seconds: float) -> None:
        held = self.histograms.setdefault(name, {})
        distribution = held.get(labels)
        if distribution is None:
            distribution = held[labels] = Distribution()
        distribution.counts[bisect_left(BOUNDS, seconds)] += 1
        distribution.sum += seconds

    def levels(self, name: str, values: Mapping[Labels, float]) -> None:
        self.gauges[name] = {**self.gauges.get(name, {}), **values}

    def value(self, name: str, *labels: str) -> float:
        """A counter or a gauge as it stands; 0 where it was never told of."""
        return self.counters.get(name, {}).get(labels, self.gauges.get(name, {}).get(labels, 0))
