"""Metrics for Prometheus. What the ledger knows is read when asked for; the length of rounds is measured as they go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sagacity.errors import SagacityError
from sagacity.ledger.live import LiveLedger
from sagacity.reconcile.live import Change
from sagacity.web.api.documents import source_parts
from sagacity.web.context import Served
from sagacity.workflow.trace import FOREVER

__all__ = ["Metrics", "metrics"]

_OUTCOMES = ("matched", "redelivered", "late", "unmatched", "orphan", "rejected")
_STATES = ("starting", "running", "stalled", "stopped")
_REACHES = {"current": 0, "behind": 1, "down": 2}
_CHANGING = ("rule", "type", "new type", "events", "volume")
_COUNTED = 10_000
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """A registry of this application's own."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._registry = CollectorRegistry(auto_describe=False)
        self._rounds = Histogram(
            "sagacity_round_seconds", "Length of rounds that changed something", buckets=_BUCKETS, registry=self._registry
        )
        self._registry.register(_OfLedger(served))
        self._stop: Callable[[], None] | None = None

    def begin(self) -> None:
        """Measure rounds from now on."""
        self._stop = self._served.live.listen(self._round)

    def end(self) -> None:
        """Measure no more."""
        if self._stop is not None:
            self._stop()

    def text(self) -> bytes:
        """All metrics, in the text format. Reads from the ledger."""
        return generate_latest(self._registry)

    def _round(self, change: Change) -> None:
        self._rounds.observe(max(self._served.now() - change.at, 0) / 1e6)


class _OfLedger(Collector):
    def __init__(self, served: Served) -> None:
        self._served = served

    def collect(self) -> Iterable[Metric]:
        yield from self._server()
        yield from self._sources()
        yield from self._workflows(self._served.ledger)
        yield from self._drift()
        yield from self._alerts(self._served.ledger)

    def _server(self) -> Iterator[Metric]:
        status = self._served.live.status()
        state = GaugeMetricFamily("sagacity_state", "1 for the state that the server is in", labels=["state"])
        for name in _STATES:
            state.add_metric([name], float(name == status.state))
        yield state
        yield GaugeMetricFamily("sagacity_records_per_second", "Records taken in, over the last ten seconds", status.rate)
        yield CounterMetricFamily("sagacity_records_taken", "Records taken in since the start", status.records)
        delay = float("nan") if status.as_of is None else (status.now - status.as_of) / 1e6
        yield GaugeMetricFamily("sagacity_as_of_delay_seconds", "How far as-of is behind the present", delay)
        yield GaugeMetricFamily("sagacity_watchers", "Streams of changes that are open", len(self._served.changes))

    def _sources(self) -> Iterator[Metric]:
        labels = ["source", "part"]
        lag = GaugeMetricFamily("sagacity_source_lag_records", "Records known to wait", labels=labels)
        state = GaugeMetricFamily("sagacity_source_state", "0 current, 1 behind, 2 down", labels=labels)
        silent = GaugeMetricFamily("sagacity_source_silent_seconds", "Since a record last came", labels=labels)
        for part in source_parts(self._served.ledger.parts(), self._served.live.status()):
            named = [part.source, part.part]
            if part.lag is not None:
                lag.add_metric(named, part.lag)
            if part.state is not None:
                state.add_metric(named, _REACHES[part.state])
            if part.silent_seconds is not None:
                silent.add_metric(named, part.silent_seconds)
        yield from (lag, state, silent)

    def _workflows(self, ledger: LiveLedger) -> Iterator[Metric]:
        records = CounterMetricFamily(
            "sagacity_records", "Records by what became of them", labels=["workflow", "source", "outcome"]
        )
        for account in ledger.accounts():
            for outcome in _OUTCOMES:
                records.add_metric([account.workflow, account.source, outcome], getattr(account, outcome))
        yield records
        cases = GaugeMetricFamily("sagacity_cases", "Cases by status", labels=["workflow", "status"])
        findings = GaugeMetricFamily("sagacity_findings", "Findings by state", labels=["workflow", "state"])
        progress = GaugeMetricFamily("sagacity_rejudged_ratio", "Share judged by the latest revision", labels=["workflow"])
        for stored in ledger.workflows():
            progress.add_metric([stored.name], stored.progress)
            counts = ledger.counts(stored.name)
            for status, count in counts.cases.items():
                cases.add_metric([stored.name, status], count)
            for state, count in counts.findings.items():
                findings.add_metric([stored.name, state], count)
        yield from (cases, findings, progress)

    def _drift(self) -> Iterator[Metric]:
        """What was last found, so that no scrape waits for a look."""
        held = GaugeMetricFamily(
            "sagacity_rule_held_ratio",
            "Share of the decided cases of the latest day without a finding",
            labels=["workflow", "expectation"],
        )
        changes = GaugeMetricFamily(
            "sagacity_drift_changes", "Changes in how cases go that last, by day", labels=["workflow", "what"]
        )
        latest = _since("latest", "Since when the latest change that lasts is so")
        noticed = _since("noticed", "The end of the day with which the latest noticed of them was more than chance")
        until = _since("until", "The end of the latest day that was looked at")
        try:
            found = self._served.drifting.kept()
        except SagacityError:
            return  # the other metrics say how the ledger does
        for drift in found:
            named = [drift.workflow]
            for series in drift.series:
                if series.what == "rule" and series.of and series.of[-1]:
                    held.add_metric([*named, series.name], series.held[-1] / series.of[-1])
            lasting = [change for change in drift.changes if change.until is None]
            for what in _CHANGING:
                changes.add_metric([*named, what], sum(change.what == what for change in lasting))
            if lasting:
                latest.add_metric(named, max(change.since for change in lasting) / 1e6)
                noticed.add_metric(named, max(change.noticed for change in lasting) / 1e6)
            if drift.periods:
                until.add_metric(named, (drift.periods[-1].start + drift.width) / 1e6)
        yield from (held, changes, latest, noticed, until)

    def _alerts(self, ledger: LiveLedger) -> Iterator[Metric]:
        pending = len(ledger.notices(FOREVER, _COUNTED))
        yield GaugeMetricFamily("sagacity_notices_pending", f"Notices to be delivered, {_COUNTED:,} at most", pending)
        dead, cursor = 0, None
        while dead < _COUNTED:
            page = ledger.dead_letters(cursor=cursor, limit=500)
            dead, cursor = dead + len(page.items), page.cursor
            if cursor is None:
                break
        yield GaugeMetricFamily("sagacity_notices_dead", f"Notices that will not be delivered, {_COUNTED:,} at most", dead)


def _since(name: str, about: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"sagacity_drift_{name}_timestamp_seconds", about, labels=["workflow"])


@get(
    "/metrics",
    sync_to_thread=True,
    tags=["server"],
    summary="Metrics for Prometheus",
    media_type="text/plain",
)
def metrics(metrics_of: NamedDependency[Metrics]) -> Response[bytes]:
    """In the text format of Prometheus."""
    return Response(metrics_of.text(), media_type=CONTENT_TYPE_LATEST)
