"""What is measured of sagas, for Prometheus: to be mounted in a service's own application, or served by itself.

    registry.register(TallyCollector(orchestrator.meter))      # beside what the service measures itself
    stop = serve(9464, orchestrator.meter, shop.meter)         # http://127.0.0.1:9464/metrics

Raises UsageError on import where the extra `metrics` is not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from itertools import accumulate
from typing import TypeVar

from sagacity.errors import UsageError

if find_spec("prometheus_client") is None:
    raise UsageError("metrics need the package prometheus-client", hint="pip install '.[metrics]' in a clone of Sagacity")

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sagacity.messaging.meter import BOUNDS, Distribution, Labels, Measure, Tally
from sagacity.saga.metrics import MEASURES

__all__ = ["TallyCollector", "serve", "text"]

_Value = TypeVar("_Value")


class TallyCollector(Collector):
    """Gives tallies to a registry of prometheus-client; what several of them counted is added up. Each tally belongs to one
    collector alone."""

    def __init__(self, *tallies: Tally) -> None:
        self._tallies = tallies

    def collect(self) -> Iterable[Metric]:
        for measure in MEASURES:
            family = _FAMILIES[measure.kind](self, measure)
            if family.samples:
                yield family

    def describe(self) -> Iterable[Metric]:
        """Nothing is collected in order to be registered."""
        return ()

    def _counter(self, measure: Measure) -> Metric:
        family = CounterMetricFamily(measure.name, measure.help, labels=measure.labels)
        for labels, value in self._summed(measure.name):
            family.add_metric(labels, value)
        return family

    def _gauge(self, measure: Measure) -> Metric:
        family = GaugeMetricFamily(measure.name, measure.help, labels=measure.labels)
        stands = {labels: value for tally in self._tallies for labels, value in _now(tally.gauges, measure.name)}
        for labels, value in sorted(stands.items()):
            family.add_metric(labels, value)
        return family

    def _histogram(self, measure: Measure) -> Metric:
        family = HistogramMetricFamily(measure.name, measure.help, labels=measure.labels)
        held: dict[Labels, list[Distribution]] = {}
        for tally in self._tallies:
            for labels, distribution in _now(tally.histograms, measure.name):
                held.setdefault(labels, []).append(distribution)
        bounds = [*map(str, BOUNDS), "+Inf"]
        for labels, distributions in sorted(held.items()):
            counts = accumulate(map(sum, zip(*(each.counts for each in distributions), strict=True)))
            total = sum(each.sum for each in distributions)
            family.add_metric(labels, list(zip(bounds, map(float, counts), strict=True)), total)
        return family

    def _summed(self, name: str) -> Iterator[tuple[Labels, float]]:
        summed: dict[Labels, float] = {}
        for tally in self._tallies:
            for labels, value in _now(tally.counters, name):
                summed[labels] = summed.get(labels, 0) + value
        yield from sorted(summed.items())


def text(*tallies: Tally) -> bytes:
    """All that they measured, in the text format of Prometheus."""
    return generate_latest(_registry(*tallies))


def serve(port: int, *tallies: Tally, host: str = "127.0.0.1") -> Callable[[], None]:
    """Answer requests to `/metrics`, from a thread of its own; what stops that again. Raises OSError where the port is
    taken."""
    server, thread = start_http_server(port, host, _registry(*tallies))

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


_FAMILIES: dict[str, Callable[[TallyCollector, Measure], Metric]] = {
    "counter": TallyCollector._counter, "gauge": TallyCollector._gauge, "histogram": TallyCollector._histogram,
}  # fmt: skip


def _registry(*tallies: Tally) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(TallyCollector(*tallies))
    return registry


def _now(held: dict[str, dict[Labels, _Value]], name: str) -> Iterable[tuple[Labels, _Value]]:
    """A copy, since a process may measure while it is asked."""
    return list(held.get(name, {}).items())
