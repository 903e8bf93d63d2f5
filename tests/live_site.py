"""The live pages over the fakes, served on a free port of loopback: what browser tests visit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from fakes.live_ledger import MemoryLedger
from fakes.samples import FixedStream
from sagacity.reconcile.clock import SystemClock
from sagacity.reconcile.live import Live
from sagacity.reconcile.watermark import Patience
from sagacity.sources.push import PushStream
from sagacity.sources.stream import Reach
from sagacity.web.app import create_app
from sagacity.web.saga_desk import SagaDesk
from sagacity.web.server import server
from sagacity.web.settings import Settings

__all__ = ["Site", "served"]

_SOURCES = ("orders", "payments", "shipments", "compliance", "refunds")


class Site(msgspec.Struct, frozen=True):
    """A running server: where it is, its ledger, and a way to hand records in."""

    url: str
    ledger: MemoryLedger
    live: Live
    push: PushStream

    def offer(self, source: str, *bodies: bytes) -> None:
        """Hand records in, and wait until they are durable."""
        self.push.offer(source, bodies).result(timeout=20)


@contextmanager
def served(
    ledger: MemoryLedger,
    *,
    reaches: Sequence[Reach] = (),
    settings: Settings | None = None,
    sagas: SagaDesk | None = None,
) -> Iterator[Site]:
    """The site, up for as long as the context lasts."""
    push = PushStream(_SOURCES)
    patience = Patience(lateness=0, idle=50_000)
    live = Live(ledger, [push, FixedStream(reaches)], clock=SystemClock(), patience=patience)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    running = server(create_app(live, push=push, settings=settings, sagas=sagas), port=0)
    rounds = threading.Thread(target=live.run, daemon=True)
    web = threading.Thread(target=running.run, args=([listening],), daemon=True)
    rounds.start()
    web.start()
    try:
        yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}", ledger, live, push)
    finally:
        running.should_exit = True
        web.join(timeout=20)
        live.stop()
        rounds.join(timeout=20)
        listening.close()
