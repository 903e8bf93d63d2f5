"""One request is one trace, through HTTP and gRPC; and logs say which."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog
from litestar import get
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from running import running
from sagacity import correlation
from shop.chassis import logs, parts
from shop.chassis.access import Account, signed_in
from shop.chassis.http import HttpServer, create_app
from shop.chassis.rpc import RpcServer
from shop.chassis.service import Service
from shop.chassis.telemetry import Telemetry, span
from shop.contracts.proto import auth_pb2, auth_pb2_grpc

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class _Knowing(auth_pb2_grpc.AuthServiceServicer):
    async def Auth(self, request: auth_pb2.AuthRequest, context: object) -> auth_pb2.AuthResponse:  # noqa: N802
        del request, context
        found = correlation.current()
        assert found is not None
        return auth_pb2.AuthResponse(customer_id=7, roles=[found.id])


@get("/api/v1/told", guards=[signed_in])
async def told() -> dict[str, str | None]:
    with span("inner"):
        found = correlation.current()
        return {"traceparent": found.traceparent if found else None}


def test_a_request_that_goes_on_by_grpc_is_one_trace() -> None:
    exporter = InMemorySpanExporter()

    async def go() -> httpx.Response:
        service = Service("told")
        service.add("telemetry", Telemetry("told", parts.Otlp(), exporter=exporter))
        offers = {"auth.AuthService": (auth_pb2_grpc.add_AuthServiceServicer_to_server, _Knowing())}
        rpc = RpcServer(parts.Rpc(), offers, service.metrics)
        async with rpc:
            account = service.add("account", Account(parts.Access(target=f"127.0.0.1:{rpc.port}")))
            app = create_app(service, [told], settings=parts.Http(), authority=account)
            http = service.add("http", HttpServer(app, parts.Http()))
            async with running(service), httpx.AsyncClient(timeout=60) as client:
                headers = {"traceparent": PARENT, "x-correlation-id": "purchase-1", "Authorization": "Bearer x"}
                return await client.get(f"http://127.0.0.1:{http.port}/api/v1/told", headers=headers)

    answer = asyncio.run(go())
    assert answer.headers["x-correlation-id"] == "purchase-1"
    spans = {each.name: each for each in exporter.get_finished_spans()}
    assert set(spans) == {"GET /api/v1/told", "auth.AuthService/Auth", "inner"}
    assert {f"{each.context.trace_id:032x}" for each in spans.values()} == {PARENT.split("-")[1]}
    outer = spans["GET /api/v1/told"]
    assert outer.parent is not None
    assert f"{outer.parent.span_id:016x}" == PARENT.split("-")[2]
    for name in ("auth.AuthService/Auth", "inner"):
        parent = spans[name].parent
        assert parent is not None
        assert parent.span_id == outer.context.span_id
    assert answer.json()["traceparent"].split("-")[2] == f"{spans['inner'].context.span_id:016x}"
    assert {each.attributes["correlation.id"] for each in spans.values() if each.attributes} == {"purchase-1"}


def test_without_a_collector_there_are_no_spans_and_the_trace_goes_on() -> None:
    async def go() -> None:
        async with Telemetry("told", parts.Otlp()):
            with correlation.bound("purchase-1", traceparent=PARENT), span("nothing") as opened:
                assert opened is None
                found = correlation.current()
                assert found is not None
                assert found.traceparent == PARENT

    asyncio.run(go())


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What is logged, as it is in a service's process; put back afterwards."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    logs.set_up("told", stream=stream)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


def test_a_line_of_the_log_says_to_which_request_it_belongs(said: io.StringIO) -> None:
    with correlation.bound("purchase-1", traceparent=PARENT):
        logs.logger("shop.told").info("it went well", customer="7")
        logging.getLogger("sagacity.messaging").warning("the broker %s", "is away")
    own, librarys = [json.loads(line) for line in said.getvalue().splitlines()]
    assert own["event"] == "it went well"
    assert own["customer"] == "7"
    assert librarys["event"] == "the broker is away"
    for line in (own, librarys):
        assert (line["service"], line["correlation_id"], line["trace_id"]) == ("told", "purchase-1", PARENT.split("-")[1])
