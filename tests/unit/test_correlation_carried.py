"""A correlation id and a trace, carried through code, HTTP, and Kafka."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from sagacity import correlation
from sagacity.correlation import Correlation, kafka
from sagacity.correlation import httpx as hooks
from sagacity.errors import UsageError

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-00"


def test_nothing_is_bound_until_somebody_does() -> None:
    assert correlation.current() is None
    assert correlation.headers() == {}
    with correlation.bound("order-1") as bound:
        assert correlation.current() == bound == Correlation("order-1")
    assert correlation.current() is None


def test_what_is_not_given_is_what_was_bound_around() -> None:
    with correlation.bound("a", traceparent=PARENT, tracestate="k=1"):
        with correlation.bound("b"):
            assert correlation.current() == Correlation("b", PARENT, "k=1")
        with correlation.bound(traceparent=OTHER):
            assert correlation.current() == Correlation("a", OTHER, None)
        with correlation.bound(Correlation("c")):
            assert correlation.current() == Correlation("c")


def test_an_id_is_made_where_there_is_none() -> None:
    with correlation.bound(new_id=lambda: "made") as bound:
        assert bound.id == "made"
    assert len({correlation.new_id() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("id", "more"),
    [
        ("a b", {}), ("x" * 129, {}), ("a\r\nb", {}), ("é", {}), ("a,b", {}), ("<b>", {}),
        ("a", {"traceparent": "00-0-0-0"}), ("a", {"tracestate": "not a state"}),
    ],
)  # fmt: skip
def test_what_could_not_be_carried_is_refused(id: str, more: dict[str, Any]) -> None:
    with pytest.raises(UsageError), correlation.bound(id, **more):
        raise AssertionError
    assert correlation.current() is None


def test_each_task_and_each_thread_has_its_own() -> None:
    seen: list[str | None] = []

    async def work(id: str) -> None:
        with correlation.bound(id):
            await asyncio.sleep(0)
            now = correlation.current()
            seen.append(now.id if now else None)

    async def main() -> None:
        await asyncio.gather(*(work(f"t{n}") for n in range(5)))

    asyncio.run(main())
    assert sorted(str(id) for id in seen) == [f"t{n}" for n in range(5)]
    with correlation.bound("here"):
        thread = threading.Thread(target=lambda: seen.append(str(correlation.current())))
        thread.start()
        thread.join()
    assert seen[-1] == "None"


def test_a_generator_that_is_closed_elsewhere_does_no_harm() -> None:
    def numbers() -> Generator[int]:
        with correlation.bound("inside"):
            yield 1
            yield 2

    each = numbers()
    contextvars.copy_context().run(next, each)
    each.close()
    assert correlation.current() is None


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"X-Correlation-Id": "a"}, Correlation("a")),
        ([(b"x-correlation-id", b"a"), (b"traceparent", PARENT.encode())], Correlation("a", PARENT)),
        ({"correlationid": "a", "traceparent": PARENT, "tracestate": "k=1"}, Correlation("a", PARENT, "k=1")),
        ({"ce-correlationid": "a", "ce-traceparent": PARENT}, Correlation("a", PARENT)),
        ([("ce_correlationid", b"a"), ("ce_tracestate", b"k=1")], Correlation("a")),
        ([("x-correlation-id", "a"), ("x-correlation-id", "a")], Correlation("a")),
        ([("x-correlation-id", "a"), ("x-correlation-id", "b")], Correlation("new")),
        ([("traceparent", PARENT), ("traceparent", PARENT)], Correlation("new")),
        ({"x-correlation-id": "a\r\nb"}, Correlation("new")),
        ({"x-correlation-id": "x" * 10_000}, Correlation("new")),
        ({"x-correlation-id": 7, "other": None}, Correlation("new")),
        (None, Correlation("new")),
    ],
)
def test_headers_of_every_sort_are_read(headers: Any, found: Correlation) -> None:
    assert correlation.extract(headers, new_id=lambda: "new") == found


def test_what_is_there_is_left_as_it_is() -> None:
    with correlation.bound("a", traceparent=PARENT, tracestate="k=1"):
        assert correlation.inject({"X-Correlation-ID": "mine", "Traceparent": OTHER}) == {
            "X-Correlation-ID": "mine",
            "Traceparent": OTHER,
        }
        assert correlation.inject([("accept", "*/*")]) == [
            ("accept", "*/*"), ("x-correlation-id", "a"), ("traceparent", PARENT), ("tracestate", "k=1"),
        ]  # fmt: skip
        assert correlation.attributes() == {"correlationid": "a", "traceparent": PARENT, "tracestate": "k=1"}


class Asked:
    """An ASGI application that says what is bound, and a request to it."""

    def __init__(self) -> None:
        self.bound: Correlation | None = None
        self.sent: list[Any] = []

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        self.bound = correlation.current()
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
            await send({"type": "http.response.body", "body": b""})

    def request(self, headers: list[tuple[bytes, bytes]], type: str = "http", **options: Any) -> None:
        async def receive() -> Any:
            return {"type": "http.request"}

        async def send(message: Any) -> None:
            self.sent.append(message)

        app = correlation.ASGIMiddleware(self, new_id=lambda: "new", **options)
        asyncio.run(app({"type": type, "headers": headers}, receive, send))


def test_a_request_binds_what_it_carries_and_the_answer_names_it() -> None:
    asked = Asked()
    asked.request([(b"x-correlation-id", b"order-1"), (b"traceparent", PARENT.encode())])
    assert asked.bound == Correlation("order-1", PARENT)
    assert asked.sent[0]["headers"] == [(b"a", b"b"), (b"x-correlation-id", b"order-1")]
    assert correlation.current() is None


def test_a_request_that_carries_nothing_gets_a_new_id() -> None:
    asked = Asked()
    asked.request([(b"x-correlation-id", b"a b")])
    assert asked.bound == Correlation("new")


def test_at_the_edge_nothing_is_accepted() -> None:
    asked = Asked()
    asked.request([(b"x-correlation-id", b"order-1"), (b"traceparent", PARENT.encode())], accept=False)
    assert asked.bound == Correlation("new")


def test_the_life_of_the_server_is_no_request() -> None:
    asked = Asked()
    asked.request([], type="lifespan")
    assert asked.bound is None


def test_an_http_client_sends_what_is_bound() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=dict(request.headers)))
    with httpx.Client(transport=transport, event_hooks={"request": [hooks.hook]}) as client, correlation.bound("a"):
        assert client.get("http://x").json()["x-correlation-id"] == "a"
        assert client.get("http://x", headers={"X-Correlation-Id": "b"}).json()["x-correlation-id"] == "b"

    async def asynchronous() -> Any:
        hook = {"request": [hooks.async_hook]}
        async with httpx.AsyncClient(transport=transport, event_hooks=hook) as client:
            with correlation.bound("a", traceparent=PARENT):
                return (await client.get("http://x")).json()

    said = asyncio.run(asynchronous())
    assert (said["x-correlation-id"], said["traceparent"]) == ("a", PARENT)


def test_a_message_carries_what_is_bound() -> None:
    assert kafka.headers() == []
    with correlation.bound("a", traceparent=PARENT):
        assert kafka.headers([("k", None)]) == [("k", None), ("x-correlation-id", b"a"), ("traceparent", PARENT.encode())]
        assert kafka.extract(kafka.headers()) == correlation.current()
    assert kafka.extract(None, new_id=lambda: "new") == Correlation("new")


def test_a_cloud_event_on_kafka_carries_it_as_attributes_too() -> None:
    with correlation.bound("a", traceparent=PARENT):
        found = kafka.headers([("ce_specversion", b"1.0"), ("ce_traceparent", OTHER.encode())])
        assert dict(found)["ce_correlationid"] == b"a"
        assert dict(found)["ce_traceparent"] == OTHER.encode()
        kept = kafka.headers([("ce_specversion", b"1.0"), ("ce_correlationid", b"mine")])
        assert dict(kept)["ce_correlationid"] == b"mine"


def test_a_service_that_uses_it_loads_nothing_else() -> None:
    code = (
        "import sys; from sagacity import correlation; from sagacity.correlation import kafka, httpx\n"
        "ours = [name for name in sys.modules if name.startswith('sagacity.')]\n"
        "assert all(name.startswith(('sagacity.correlation', 'sagacity.errors')) for name in ours), ours\n"
        "heavy = {'httpx', 'grpc', 'asyncio', 'confluent_kafka', 'yaml', 'duckdb', 'structlog', 'typer'}\n"
        "print(sorted(heavy & {name for name in sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
