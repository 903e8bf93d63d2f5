"""The server itself: bounds that hold before any route does."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest

from sagacity.web.settings import Settings
from serving import on_a_port, serving


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    settings = Settings(body_most=100_000, headers_within=1.0, body_within=0.5)
    with serving(settings) as world, on_a_port(world.app) as made:
        yield made


def _raw(address: str, request: bytes) -> bytes:
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        return connection.recv(4_096)


def test_headers_without_end_are_refused(address: str) -> None:
    answer = _raw(address, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000)
    assert answer.startswith(b"HTTP/1.1 400")


def test_what_is_no_http_is_refused_and_the_server_goes_on(address: str) -> None:
    assert _raw(address, b"\x00\xff nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert httpx.get(f"{address}/healthz", timeout=60).text == "ok\n"


def test_a_body_that_does_not_say_its_length_is_cut_off_at_the_bound(address: str) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 10_000

    assert httpx.post(f"{address}/ingest/orders", content=chunks(), timeout=60).status_code == 413


def test_a_connection_on_which_no_request_comes_is_closed(address: str) -> None:
    assert _raw(address, b"") == b""
    assert _raw(address, b"GET /healthz HTTP/1.1\r\nHost: local") == b""


def test_a_body_that_does_not_come_is_refused_and_its_connection_closed(address: str) -> None:
    head = b"POST /ingest/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    assert _raw(address, head).startswith(b"HTTP/1.1 408")
    assert httpx.get(f"{address}/healthz", timeout=60).text == "ok\n"


def test_a_body_that_does_not_come_is_refused_on_every_route(address: str) -> None:
    head = b"POST /api/v1/replay HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    assert _raw(address, head).startswith(b"HTTP/1.1 408")


def test_the_server_does_not_say_what_it_is_made_of(address: str) -> None:
    assert "server" not in httpx.get(f"{address}/healthz", timeout=60).headers
