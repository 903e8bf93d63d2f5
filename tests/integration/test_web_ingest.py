"""Handing records in: each shape of body, and each refusal."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from fakes.live_ledger import MemoryLedger
from fakes.samples import REFUND, record
from sagacity.ledger.live import Account
from sagacity.sources.push import PushStream
from sagacity.web.limits import Rate
from sagacity.web.settings import Settings
from sagacity.workflow.language.reader import loads
from serving import NOW, Serving, client_of, serving

FAST = Rate(per_second=1e6, burst=10**6)


def _ledger() -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.adopt(loads(REFUND), REFUND, by="test", now=NOW)
    return ledger


@pytest.fixture
def world() -> Iterator[Serving]:
    with serving(ledger=_ledger(), sources=["refunds"], reaches=()) as made:
        yield made


@pytest.fixture
def client(world: Serving) -> Iterator[TestClient[Litestar]]:
    with client_of(world.app) as made:
        yield made


def _account(world: Serving) -> Account:
    return world.ledger.accounts()[0]


def _event(n: int) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(record("RefundRequested", f"e-{n}", NOW - n, {"refund_id": f"R{n}", "order_id": "1"}))
    return event


EVENTS = [_event(n) for n in range(3)]
LINES = "\n".join(json.dumps(event) for event in EVENTS).encode()


@pytest.mark.parametrize(
    ("body", "content_type", "count"),
    [
        (json.dumps(EVENTS[0]).encode(), "application/cloudevents+json", 1),
        (json.dumps(EVENTS[0]).encode(), "application/json; charset=utf-8", 1),
        (json.dumps(EVENTS[0]).encode(), None, 1),
        (json.dumps(EVENTS).encode(), "application/cloudevents-batch+json", 3),
        (json.dumps(EVENTS).encode(), "application/json", 3),
        (b"\xef\xbb\xbf" + json.dumps(EVENTS).encode(), None, 3),
        (LINES, "application/x-ndjson", 3),
        (LINES.replace(b"\n", b"\r\n\r\n") + b"\n", "application/jsonl", 3),
    ],
)
def test_each_shape_of_body_yields_its_records(
    world: Serving, client: TestClient[Litestar], body: bytes, content_type: str | None, count: int
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    response = client.post("/ingest", content=body, headers=headers)
    assert response.status_code == 202, response.text
    assert response.json() == {"records": count, "unreadable": 0}
    assert _account(world).matched == count
    world.settle()
    assert [row.case for row in world.ledger.cases(_all()).items] == [f"R{n}" for n in range(count)]


def _all() -> Any:
    from sagacity.ledger.live import CaseFilter

    return CaseFilter()


def test_a_binary_cloud_event_is_put_together(world: Serving, client: TestClient[Litestar]) -> None:
    event = EVENTS[0]
    headers = {f"ce-{name}": event[name] for name in ("specversion", "type", "source", "id", "time")}
    body = json.dumps(event["data"])
    response = client.post("/ingest/refunds", content=body, headers=headers | {"Content-Type": "application/json"})
    assert response.status_code == 202
    stored = world.ledger.events("refund", "R0")[0]
    assert (stored.event.id, stored.event.attributes) == ("e-0", {"order": "1"})


def test_a_packed_body_is_taken_apart_only_where_there_is_room_for_what_it_may_hold() -> None:
    packed = gzip.compress(LINES[: LINES.index(b"\n")])
    small = Settings(ingest_rate=FAST, reading_most=500 * len(packed))
    with serving(small, ledger=_ledger(), sources=["refunds"], reaches=()) as world, client_of(world.app) as client:
        headers = {"Content-Encoding": "gzip"}
        refused = client.post("/ingest", content=packed, headers=headers)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert client.post("/ingest", content=gzip.decompress(packed)).status_code == 202
    enough = Settings(ingest_rate=FAST, reading_most=1_100 * len(packed))
    with serving(enough, ledger=_ledger(), sources=["refunds"], reaches=()) as world, client_of(world.app) as client:
        for _ in range(3):  # the room of one is free for the next
            assert client.post("/ingest", content=packed, headers=headers).status_code == 202


def test_a_gzip_body_is_unpacked(world: Serving, client: TestClient[Litestar]) -> None:
    packed = gzip.compress(LINES[:100]) + gzip.compress(LINES[100:])
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-ndjson"}
    assert client.post("/ingest", content=packed, headers=headers).json() == {"records": 3, "unreadable": 0}
    assert _account(world).matched == 3


def test_records_that_are_no_objects_are_kept_and_accounted_for_among_those_that_are(
    world: Serving, client: TestClient[Litestar]
) -> None:
    body = LINES + b"\nnot json\n[1]\n"
    response = client.post("/ingest", content=body, headers={"Content-Type": "application/x-ndjson"})
    assert (response.status_code, response.json()) == (202, {"records": 5, "unreadable": 2})
    assert (_account(world).matched, _account(world).rejected) == (3, 2)


@pytest.mark.parametrize("body", [b"", b" ", b"[]", b"null", b"\xff\xfe", b'{"a":', b"[" * 5_000, b"[1,2]", b'"x"', b"\x00"])
def test_what_cannot_be_read_is_answered_422_and_accounted_for(
    world: Serving, client: TestClient[Litestar], body: bytes
) -> None:
    response = client.post("/ingest", content=body)
    assert response.status_code == 422
    assert "rejected" in response.json()["detail"]
    assert _account(world).rejected == (2 if body == b"[1,2]" else 1)


async def _handed_in(app: Litestar, bodies: list[bytes], at_once: int = 100) -> set[int]:
    """The statuses of the answers, for many bodies at a time and without a client's work between them."""

    async def post(body: bytes) -> int:
        status: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])

        scope = {"type": "http", "method": "POST", "path": "/ingest", "raw_path": b"/ingest", "query_string": b"",
                 "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "scheme": "http", "root_path": "",
                 "server": ("127.0.0.1", 80), "http_version": "1.1", "asgi": {"version": "3.0"}, "state": {}}  # fmt: skip
        await app(scope, receive, send)  # type: ignore[arg-type]
        return status[0]

    answers: set[int] = set()
    for start in range(0, len(bodies), at_once):
        answers |= set(await asyncio.gather(*map(post, bodies[start : start + at_once])))
    return answers


def test_10_000_random_byte_strings_are_each_accounted_for_as_rejected() -> None:
    draw = random.Random(4)
    bodies = [draw.randbytes(draw.randrange(0, 200)) for _ in range(10_000)]
    settings = Settings(ingest_rate=FAST)
    with serving(settings, ledger=_ledger(), sources=["refunds"], reaches=()) as world, client_of(world.app) as client:
        assert asyncio.run(_handed_in(world.app, bodies)) == {422}
        assert (_account(world).records, _account(world).rejected) == (10_000, 10_000)
        assert client.get("/readyz").status_code == 200


def test_a_source_that_there_is_not_is_refused_with_those_that_there_are(client: TestClient[Litestar]) -> None:
    response = client.post("/ingest/nope", content=b"{}")
    assert (response.status_code, response.json()["hint"]) == (404, "there is refunds")


def test_with_several_sources_one_must_be_named() -> None:
    with serving() as world, client_of(world.app) as client:
        response = client.post("/ingest", content=b"{}")
        assert response.status_code == 400
        assert "orders, payments, shipments, compliance, refunds" in response.json()["hint"]


def test_records_can_be_handed_to_a_source_of_a_workflow_that_came_later() -> None:
    with serving(ledger=_ledger(), sources=["others"], reaches=()) as world, client_of(world.app) as client:
        assert client.post("/ingest/refunds", content=json.dumps(EVENTS[0])).status_code == 202
        assert _account(world).matched == 1


def test_a_body_that_is_too_large_is_refused() -> None:
    settings = Settings(body_most=1_000, unpacked_most=5_000, ingest_rate=FAST)
    with serving(settings, ledger=_ledger(), sources=["refunds"], reaches=()) as world, client_of(world.app) as client:
        assert client.post("/ingest", content=b"x" * 1_001).status_code == 413
        bomb = gzip.compress(b" " * 5_001)
        assert len(bomb) < 1_000
        assert client.post("/ingest", content=bomb, headers={"Content-Encoding": "gzip"}).status_code == 413
        assert world.ledger.accounts() == []


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [(b"x", "br", 415), (b"x", "gzip", 422), (gzip.compress(b"{}")[:-9], "gzip", 422)],
    ids=["not known", "not gzip", "cut short"],
)
def test_an_encoding_that_cannot_be_undone_is_refused(
    client: TestClient[Litestar], body: bytes, encoding: str, status: int
) -> None:
    assert client.post("/ingest", content=body, headers={"Content-Encoding": encoding}).status_code == status


def test_a_full_queue_is_answered_with_when_to_come_again() -> None:
    push = PushStream(["refunds"], most=1)
    settings = Settings(answer_within=0.05)
    with serving(settings, ledger=_ledger(), push=push, reaches=(), run=False) as world, client_of(world.app) as client:
        held = push.offer("refunds", [b"{}"])
        response = client.post("/ingest", content=b"{}")
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        world.live.tick()
        assert held.done()


def test_what_is_not_durable_in_time_is_not_answered_as_if_it_were() -> None:
    settings = Settings(answer_within=0.05)
    with serving(settings, ledger=_ledger(), sources=["refunds"], reaches=(), run=False) as world:
        with client_of(world.app) as client:
            response = client.post("/ingest", content=json.dumps(EVENTS[0]))
            assert response.status_code == 504
            assert "same id" in response.json()["hint"]
        world.push.close()


def test_a_stalled_server_takes_nothing_in_and_goes_on_once_there_is_room() -> None:
    with serving(ledger=_ledger(), sources=["refunds"], reaches=()) as world, client_of(world.app) as client:
        stalled = threading.Event()
        world.memory.full = True
        offered = world.push.offer("refunds", [json.dumps(EVENTS[0]).encode()])
        for _ in range(200):
            if world.live.status().state == "stalled":
                stalled.set()
                break
            stalled.wait(0.02)
        assert stalled.is_set()
        response = client.post("/ingest", content=json.dumps(EVENTS[1]))
        assert response.status_code == 503
        assert "disk is full" in response.json()["detail"]
        assert client.get("/readyz").status_code == 503
        world.memory.full = False
        offered.result(timeout=60)
        assert _account(world).matched == 1
