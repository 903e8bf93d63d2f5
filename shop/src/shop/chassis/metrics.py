"""Metrics for Prometheus: one registry a service."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from sagacity.messaging.meter import Tally
from sagacity.saga.prometheus import TallyCollector

__all__ = ["BUCKETS", "CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = CONTENT_TYPE_LATEST
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds."""


class Metrics:
    """A service's registry, with what every service measures. Each metric has the label `service`.

    Further ones are made with `registry=metrics.registry`, or come from a collector of their own. `meter` is for what the
    library measures of outbox, sagas and participants, whose names begin with `sagacity_`.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self.registry = CollectorRegistry(auto_describe=False)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.meter = Tally()
        self.registry.register(TallyCollector(self.meter))
        self._http = Histogram(
            "shop_http_seconds", "Requests, by route and status", ["service", "method", "route", "status"],
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._rpc = Histogram(
            "shop_rpc_seconds", "Calls answered over gRPC, by method and code", ["service", "method", "code"],
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._counted = Counter("shop_counted", "What has happened, by name", ["service", "name"], registry=self.registry)

    def register(self, collector: Collector) -> None:
        """Have a collector asked whenever metrics are."""
        self.registry.register(collector)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._http.labels(self.service, method, route, str(status)).observe(seconds)

    def call(self, method: str, code: str, seconds: float) -> None:
        self._rpc.labels(self.service, method, code).observe(seconds)

    def count(self, name: str, many: float = 1) -> None:
        """Count that something has happened: `shop_counted_total{name="..."}`."""
        self._counted.labels(self.service, name).inc(many)

    def keeps_answers(self, keep_for: timedelta) -> None:
        """Say for how long it is known what was answered to sagas: none may be parked for longer. Once."""
        gauge = Gauge(
            "shop_answers_kept_seconds", "How long answers to sagas are kept", ["service"], registry=self.registry
        )  # fmt: skip
        gauge.labels(self.service).set(keep_for.total_seconds())

    def text(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self.registry)
