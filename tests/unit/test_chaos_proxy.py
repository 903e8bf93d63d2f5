"""The proxy that stands before servers in campaigns: what it does to what passes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from chaos.shop.proxy import Proxy

LIMIT = 30.0


class Echo:
    """A server that answers what it is told, and remembers it."""

    def __init__(self) -> None:
        self.heard = b""
        self.changed = threading.Condition()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def has_heard(self, many: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: len(self.heard) >= many, LIMIT)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while told := connection.recv(65_536):
                with self.changed:
                    self.heard += told
                    self.changed.notify_all()
                connection.sendall(told)


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy() as standing:
        standing.towards(echo.port)
        yield standing


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), LIMIT) as connection:
        connection.sendall(b"hello")
        assert read(connection, 5) == b"hello"
        yield connection


def read(connection: socket.socket, many: int) -> bytes:
    found = b""
    while len(found) < many and (more := connection.recv(many - len(found))):
        found += more
    return found


def test_what_is_stalled_comes_when_it_flows_again_on_the_same_connection(
    proxy: Proxy, echo: Echo, client: socket.socket
) -> None:
    proxy.stall()
    client.sendall(b"later")
    with socket.create_connection(("127.0.0.1", proxy.port), LIMIT) as other:  # who comes now is taken, and waits
        other.sendall(b"later")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert echo.heard == b"hello"
        client.settimeout(LIMIT)
        proxy.flow()
        assert read(client, 5) == b"later"
        assert read(other, 5) == b"later"


def test_a_connection_is_cut_in_the_middle_of_what_passes(proxy: Proxy, echo: Echo, client: socket.socket) -> None:
    proxy.cut()
    client.sendall(b"0123456789")
    with contextlib.suppress(ConnectionResetError):
        assert client.recv(100) == b""
    assert proxy.severed == 1
    assert b"hello01234".startswith(echo.heard)  # a reset may take along what was not read yet
    with socket.create_connection(("127.0.0.1", proxy.port), LIMIT) as again:
        again.sendall(b"again")
        assert read(again, 5) == b"again"


def test_what_is_asked_arrives_and_its_answer_does_not(proxy: Proxy, echo: Echo, client: socket.socket) -> None:
    proxy.deafen()
    client.sendall(b"do it")
    assert echo.has_heard(10)
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.settimeout(LIMIT)
    proxy.hear()
    with contextlib.suppress(ConnectionResetError):
        assert client.recv(1) == b""
    assert (proxy.swallowed, proxy.severed) == (5, 1)


def test_who_comes_before_there_is_anybody_behind_it_is_turned_away() -> None:
    with (
        Proxy() as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), LIMIT) as client,
        contextlib.suppress(ConnectionResetError),
    ):
        assert client.recv(1) == b""
