"""The web over sample data, for tests: in process, or on a free port of loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from litestar import Litestar
from litestar.testing import TestClient

from fakes.live_ledger import MemoryLedger
from fakes.samples import REACHES, FixedStream, sample_ledger
from sagacity.ledger.live import LiveLedger
from sagacity.reconcile.live import Live
from sagacity.sources.push import PushStream
from sagacity.sources.stream import Reach, Stream
from sagacity.web.app import create_app
from sagacity.web.saga_desk import SagaDesk
from sagacity.web.server import server
from sagacity.web.settings import Settings
from sagacity.web.tokens import ROLES, Role, Tokens, minted

__all__ = ["NOW", "Hand", "Serving", "client_of", "on_a_port", "serving", "tokens_of"]

NOW = 1_795_372_854_000_000
SOURCES = ("orders", "payments", "shipments", "compliance", "refunds")


class Hand:
    """A clock that stands still unless it is moved."""

    def __init__(self, at: int = NOW) -> None:
        self.at = at

    def now(self) -> int:
        return self.at


class Serving(msgspec.Struct, frozen=True):
    """All the parts, to look at from outside. `ledger` is a `MemoryLedger` unless another was given."""

    ledger: LiveLedger
    live: Live
    push: PushStream
    clock: Hand
    app: Litestar

    @property
    def memory(self) -> MemoryLedger:
        """The ledger, where it is the one in memory."""
        assert isinstance(self.ledger, MemoryLedger)
        return self.ledger

    def settle(self) -> None:
        """Wait until what was kept by now has been judged, too."""
        self.live.ask(lambda _: None).result(timeout=60)


@contextmanager
def serving(
    settings: Settings | None = None,
    *,
    ledger: LiveLedger | None = None,
    sources: Sequence[str] = SOURCES,
    reaches: Sequence[Reach] = REACHES,
    push: PushStream | None = None,
    run: bool = True,
    sagas: SagaDesk | None = None,
) -> Iterator[Serving]:
    """The application with its rounds going on; without `run` nothing is taken in, nor anything done that is asked for."""
    clock = Hand()
    ledger = sample_ledger(NOW, orders=120) if ledger is None else ledger
    push = push or PushStream(sources)
    streams: list[Stream] = [push, FixedStream(reaches)] if reaches else [push]
    live = Live(ledger, streams, clock=clock)
    rounds = threading.Thread(target=live.run, daemon=True)
    if run:
        rounds.start()
    try:
        yield Serving(ledger, live, push, clock, create_app(live, push=push, settings=settings, sagas=sagas))
    finally:
        live.stop()
        if run:
            rounds.join(timeout=60)


def client_of(app: Litestar, token: str | None = None, **more: Any) -> TestClient[Litestar]:
    """A client in process, addressing the server as localhost."""
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False, **more)
    if token is not None:
        client.headers["Authorization"] = f"Bearer {token}"
    return client


def tokens_of(*roles: Sequence[Role]) -> tuple[Tokens, list[str]]:
    """Known tokens with these roles each, one of each role unless given, and the tokens themselves."""
    made = [
        minted(bytes([number]) * 32, "-".join(held), held) for number, held in enumerate(roles or [[role] for role in ROLES])
    ]
    return Tokens(tuple(known for _, known in made)), [token for token, _ in made]


@contextmanager
def on_a_port(app: Litestar) -> Iterator[str]:
    """The application served by uvicorn; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    running = server(app, port=listening.getsockname()[1])
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(timeout=20)
        listening.close()
        assert not thread.is_alive(), "the server did not end"
