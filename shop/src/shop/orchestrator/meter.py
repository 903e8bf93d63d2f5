"""What has happened to sagas, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from sagacity.saga import Orchestrator

__all__ = ["SagaMeter"]


class SagaMeter(Collector):
    """`shop_saga_total{what="SagaCompleted"}`: what this process has seen happen, replies that did not count included."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator

    def collect(self) -> Iterable[CounterMetricFamily]:
        family = CounterMetricFamily("shop_saga", "What has happened to sagas", labels=["what"])
        for what, count in sorted(self._orchestrator.counts.items()):
            family.add_metric([what], count)
        yield family
