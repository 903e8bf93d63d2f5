"""Changes as server-sent events, over a real connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fakes.samples import record
from sagacity.ledger.live import FindingFilter
from sagacity.reconcile.live import Change
from sagacity.web.changes import Watch
from sagacity.web.settings import Settings
from serving import NOW, Serving, on_a_port, serving

CHANGE = Change(at=NOW, as_of=NOW, records=1, cases=1, opened=0, reopened=0, resolved=0)


@pytest.fixture
def world() -> Iterator[Serving]:
    with serving(Settings(heartbeat=0.2, watchers=2)) as made:
        yield made


@pytest.fixture
def address(world: Serving) -> Iterator[str]:
    with on_a_port(world.app) as made:
        yield made


def _events(response: httpx.Response, kinds: set[str], most: int = 200) -> Iterator[tuple[str, str]]:
    """The events of these kinds, as kind and data."""
    kind = ""
    for _, line in zip(range(most), response.iter_lines(), strict=False):
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: ") and kind in kinds:
            yield kind, line.removeprefix("data: ")


def _watch(address: str, **headers: str) -> Any:
    return httpx.stream("GET", f"{address}/api/v1/changes", headers=headers, timeout=60)


def test_a_watcher_is_told_of_a_round_and_of_what_people_do(world: Serving, address: str) -> None:
    with _watch(address) as response:
        told = _events(response, {"hello", "change"})
        assert response.headers["content-type"].startswith("text/event-stream")
        assert next(told) == ("hello", "{}")
        body = record("OrderPlaced", "sse", NOW, {"order_id": "SSE", "amount": "1", "currency": "EUR"})
        assert httpx.post(f"{address}/ingest/orders", content=body, timeout=60).status_code == 202
        kind, data = next(told)
        assert (kind, '"records":1' in data) == ("change", True)
        finding = world.ledger.findings(FindingFilter(states=("open",))).items[0].id
        assert httpx.post(f"{address}/api/v1/findings/{finding}/acknowledge", timeout=60).status_code == 200
        assert '"records":0' in next(told)[1]


def test_a_quiet_stream_shows_signs_of_life(address: str) -> None:
    with _watch(address) as response:
        told = _events(response, {"heartbeat"})
        assert [next(told)[0], next(told)[0]] == ["heartbeat", "heartbeat"]


def test_a_watcher_that_comes_again_is_told_to_read_everything_anew(address: str) -> None:
    with _watch(address, **{"Last-Event-ID": "17"}) as response:
        assert next(_events(response, {"hello", "reload"}))[0] == "reload"


def test_no_more_watch_than_may_and_whoever_leaves_makes_room(world: Serving, address: str) -> None:
    changes = world.app.state.served.changes
    with _watch(address) as one, _watch(address) as two:
        first, second = _events(one, {"hello"}), _events(two, {"hello"})
        assert (next(first)[0], next(second)[0]) == ("hello", "hello")
        with _watch(address) as third:
            assert third.status_code == 503
    gone = threading.Event()
    for _ in range(100):
        if len(changes) == 0:
            break
        gone.wait(0.05)
    assert len(changes) == 0


def test_the_server_ends_although_somebody_watches(world: Serving) -> None:
    with on_a_port(world.app) as address:
        response = httpx.Client(timeout=60).stream("GET", f"{address}/api/v1/changes")
        told = _events(response.__enter__(), {"hello"})
        assert next(told)[0] == "hello"
    assert list(told) == []
    response.__exit__(None, None, None)


async def _all(watch: Watch) -> list[str]:
    told: list[str] = []
    while (each := await watch.next(0.01)) is not None:
        told.append(each[0])
    return told


def test_a_watcher_that_does_not_keep_up_is_told_to_reload_and_then_of_what_follows() -> None:
    import asyncio

    async def story() -> None:
        watch = Watch(3)
        for number in range(5):
            watch.tell(("change", number, CHANGE))
        assert await _all(watch) == ["reload"]
        watch.tell(("change", 6, CHANGE))
        assert await _all(watch) == ["change"]

    asyncio.run(story())
