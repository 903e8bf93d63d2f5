"""Drift as a page and as metrics, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from fakes.live_ledger import MemoryLedger
from sagacity.discover.periods import MONDAY, width_of
from sagacity.errors import LedgerError
from sagacity.ledger.live import PeriodCounts
from sagacity.web.settings import Settings
from sagacity.workflow.language.reader import loads
from serving import NOW, Serving, client_of, serving, tokens_of

TEXT = """
workflow: order
sources: {log: {format: jsonl, key: data.order_id}}
events: {Placed: {}, Shipped: {}}
timeout: 1d
expect: {Shipped: once}
"""
DAY = width_of("day")
TODAY = (NOW - MONDAY) // DAY
FIRST = TODAY - 20


class _Counted(MemoryLedger):
    """Of the cases of the last ten days one in five is not shipped; before, for three days, some had a survey."""

    broken = False

    def by_period(self, workflow: str, origin: int, width: int, since: int) -> PeriodCounts:  # noqa: ARG002
        if self.broken:
            raise LedgerError("out of memory")
        days = range(FIRST, TODAY + 1)
        return PeriodCounts(
            begun=dict.fromkeys(days, 100),
            decided=dict.fromkeys(days, 100) | {TODAY: 3},
            violated={"Shipped once": {n: 20 if n >= FIRST + 10 else 2 for n in days}},
            types={"Placed": dict.fromkeys(days, 100), "Survey": dict.fromkeys(range(FIRST + 5, FIRST + 8), 30)},
            until=NOW,
        )


def _serving(settings: Settings | None = None) -> Any:
    ledger = _Counted()
    ledger.adopt(loads(TEXT), TEXT, by="anna", now=NOW)
    return serving(settings, ledger=ledger, sources=("log",), reaches=())


@pytest.fixture
def world() -> Iterator[Serving]:
    with _serving() as made:
        yield made


@pytest.fixture
def client(world: Serving) -> Iterator[TestClient[Litestar]]:
    with client_of(world.app) as made:
        yield made


def _metrics(client: TestClient[Litestar]) -> dict[str, float]:
    response = client.get("/metrics")
    assert response.status_code == 200, response.text
    lines = (line.rpartition(" ") for line in response.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines if "drift" in name or "held" in name}


def test_the_page_tells_what_changed_by_the_period_that_is_asked_for(client: TestClient[Litestar]) -> None:
    page = client.get("/drift", params={"name": "order"})
    assert page.status_code == 200
    assert "80 % of the cases have no finding of Shipped once; before, 98.0 %." in page.text
    assert "There was an event type Survey, in 30 % of the cases; neither before nor after." in page.text
    assert '<a href="/drift?name=order&amp;by=day" aria-current="page">' in page.text
    assert '<a href="/drift?name=order&amp;by=week" aria-current="page">' in client.get("/drift?name=order&by=week").text


@pytest.mark.parametrize("query", ["name=other", "name=order&by=year"])
def test_what_there_is_not_is_said(client: TestClient[Litestar], query: str) -> None:
    answer = client.get(f"/drift?{query}")
    assert answer.status_code == 404
    assert "There is no workflow" in answer.text


def test_drift_is_for_viewers() -> None:
    tokens, (viewer, ingest) = tokens_of(["viewer"], ["ingest"])
    with _serving(Settings(tokens=tokens)) as world:
        for token, status in ((viewer, 200), (ingest, 403), (None, 303)):
            with client_of(world.app, token) as client:
                assert client.get("/drift?name=order", follow_redirects=False).status_code == status


def test_metrics_have_what_changed_and_since_when(world: Serving, client: TestClient[Litestar]) -> None:
    assert _metrics(client) == {}
    world.app.state.served.drifting.close()  # waits for the look that the first scrape asked for
    day = (MONDAY + FIRST * DAY) / 1e6
    assert _metrics(client) == {
        'sagacity_rule_held_ratio{expectation="Shipped once",workflow="order"}': 0.8,
        'sagacity_drift_changes{what="rule",workflow="order"}': 1.0,
        'sagacity_drift_changes{what="type",workflow="order"}': 0.0,
        'sagacity_drift_changes{what="new type",workflow="order"}': 0.0,
        'sagacity_drift_changes{what="events",workflow="order"}': 0.0,
        'sagacity_drift_changes{what="volume",workflow="order"}': 0.0,
        'sagacity_drift_latest_timestamp_seconds{workflow="order"}': day + 10 * 86_400,
        'sagacity_drift_noticed_timestamp_seconds{workflow="order"}': day + 11 * 86_400,
        'sagacity_drift_until_timestamp_seconds{workflow="order"}': day + 20 * 86_400,
    }


def test_what_a_page_found_is_in_the_metrics_at_once(client: TestClient[Litestar]) -> None:
    client.get("/drift?name=order")
    assert _metrics(client)['sagacity_drift_changes{what="rule",workflow="order"}'] == 1.0


def test_a_look_that_fails_takes_no_other_metric_with_it(world: Serving, client: TestClient[Litestar]) -> None:
    world.ledger.broken = True  # type: ignore[attr-defined]
    assert client.get("/drift?name=order").status_code == 503
    assert _metrics(client) == {}
    world.app.state.served.drifting.close()
    text = client.get("/metrics").text
    assert _metrics(client) == {}
    assert 'sagacity_state{state="running"}' in text


def test_a_workflow_that_cannot_be_read_takes_no_other_metric_with_it() -> None:
    ledger = _Counted()
    ledger.adopt(loads(TEXT), "workflow: order\nevents: 3\n", by="anna", now=NOW)
    with serving(ledger=ledger, sources=("log",), reaches=()) as world, client_of(world.app) as client:
        assert _metrics(client) == {}
        assert 'sagacity_state{state="running"}' in client.get("/metrics").text
