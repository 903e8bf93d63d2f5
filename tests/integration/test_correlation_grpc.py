"""A correlation carried through real gRPC servers and clients, with threads and without."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sagacity import correlation
from sagacity.correlation import Correlation

grpc = pytest.importorskip("grpc")
pytest.importorskip("grpc.aio")
from sagacity.correlation import grpc as interceptors  # noqa: E402

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
BOUND = Correlation("order-1", PARENT, "rojo=1")
KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


def says() -> bytes:
    return repr(correlation.current()).encode()


def threaded() -> Any:
    def one(_request: Any, _call: Any) -> bytes:
        return says()

    def several(_request: Any, _call: Any) -> Iterator[bytes]:
        for _ in range(3):
            yield says()

    return _handlers(one, several)


def unthreaded() -> Any:
    async def one(_request: Any, _call: Any) -> bytes:
        await asyncio.sleep(0)
        return says()

    async def several(_request: Any, _call: Any) -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0)
            yield says()

    async def written(_request: Any, call: Any) -> None:
        for _ in range(3):
            await call.write(says())

    handlers = _handlers(one, several)
    handlers["written"] = grpc.unary_stream_rpc_method_handler(written)
    return handlers


def _handlers(one: Any, several: Any) -> dict[str, Any]:
    return {kind: getattr(grpc, f"{kind}_rpc_method_handler")(several if kind.endswith("stream") else one) for kind in KINDS}


def _request(kind: str) -> Any:
    return iter([b"1", b"2"]) if kind.startswith("stream") else b"1"


@pytest.fixture
def port() -> Iterator[int]:
    server = grpc.server(ThreadPoolExecutor(2), interceptors=[interceptors.ServerInterceptor(new_id=lambda: "new")])
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Echo", threaded())])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None).wait()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_call_carries_it_between_threads(port: int, kind: str) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as bare:
        channel = grpc.intercept_channel(bare, interceptors.ClientInterceptor())
        call = getattr(channel, kind)(f"/shop.Echo/{kind}")
        for bound in (BOUND, Correlation("order-2")):
            with correlation.bound(bound):
                answer = call(_request(kind), timeout=20)
                answers = list(answer) if kind.endswith("stream") else [answer]
            assert answers == [repr(bound).encode()] * len(answers)
            assert len(answers) == (3 if kind.endswith("stream") else 1)
        answer = call(_request(kind), timeout=20)
        assert (list(answer) if kind.endswith("stream") else [answer])[0] == repr(Correlation("new")).encode()


def test_metadata_that_the_caller_gives_goes_along(port: int) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as bare:
        channel = grpc.intercept_channel(bare, interceptors.ClientInterceptor())
        with correlation.bound(BOUND):
            given = [("x-correlation-id", "mine"), ("k-bin", b"\x00")]
            answer = channel.unary_unary("/shop.Echo/unary_unary")(b"", metadata=given, timeout=20)
    assert answer == repr(Correlation("mine", PARENT, "rojo=1")).encode()


def test_a_method_that_is_not_served_stays_so(port: int) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary("/shop.Echo/none")(b"", timeout=20)
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_each_kind_of_call_carries_it_without_threads() -> None:
    async def main() -> dict[str, list[bytes]]:
        server = grpc.aio.server(interceptors=[interceptors.AioServerInterceptor(new_id=lambda: "new")])
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Echo", unthreaded())])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        found: dict[str, list[bytes]] = {}
        try:
            carrying = interceptors.aio_client_interceptors()
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", interceptors=carrying) as channel:
                with correlation.bound(BOUND):
                    for kind in KINDS:
                        call = getattr(channel, kind)(f"/shop.Echo/{kind}")(_request(kind), timeout=20)
                        found[kind] = [each async for each in call] if kind.endswith("stream") else [await call]
                    written = channel.unary_stream("/shop.Echo/written")(b"", timeout=20)
                    found["written"] = [each async for each in written]
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                found["bare"] = [await channel.unary_unary("/shop.Echo/unary_unary")(b"", timeout=20)]
        finally:
            await server.stop(None)
        return found

    found = asyncio.run(main())
    assert found.pop("bare") == [repr(Correlation("new")).encode()]
    assert {kind: len(answers) for kind, answers in found.items()} == {
        "unary_unary": 1, "unary_stream": 3, "stream_unary": 1, "stream_stream": 3, "written": 3,
    }  # fmt: skip
    assert {answer for answers in found.values() for answer in answers} == {repr(BOUND).encode()}
