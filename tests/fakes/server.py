"""The web over sample data, to look at: `python -m tests.fakes.server PORT`, then http://127.0.0.1:PORT/.

With `--tokens` it asks for one of the tokens that it prints; with `--traffic` a record comes in about every second.
"""

from __future__ import annotations

import argparse
import itertools
import os
import threading
from random import Random

from sagacity.reconcile.clock import SystemClock
from sagacity.reconcile.live import Live
from sagacity.sources.push import PushStream
from sagacity.web.app import Settings, create_app
from sagacity.web.server import server
from sagacity.web.tokens import ROLES, Tokens, minted

from .samples import REACHES, FixedStream, record, sample_ledger

__all__ = ["main"]

_SOURCES = ("orders", "payments", "shipments", "compliance", "refunds")


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.server", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--tokens", action="store_true")
    parser.add_argument("--traffic", action="store_true")
    given = parser.parse_args()
    clock = SystemClock()
    ledger = sample_ledger(clock.now())
    push = PushStream(_SOURCES)
    live = Live(ledger, [push, FixedStream(REACHES)], clock=clock)
    rounds = threading.Thread(target=live.run, name="rounds", daemon=True)
    rounds.start()
    stopped = threading.Event()
    if given.traffic:
        threading.Thread(target=_traffic, args=(push, clock, stopped), name="traffic", daemon=True).start()
    app = create_app(live, push=push, settings=_settings(given.tokens))
    try:
        server(app, port=given.port).run()
    finally:
        stopped.set()
        live.stop()
        rounds.join(timeout=60)


def _settings(tokens: bool) -> Settings:
    known = []
    for role in ROLES if tokens else ():
        token, kept = minted(os.urandom(32), role, [role])
        print(f"{role}: {token}", flush=True)
        known.append(kept)
    return Settings(tokens=Tokens(tuple(known)))


def _traffic(push: PushStream, clock: SystemClock, stopped: threading.Event) -> None:
    random = Random(11)
    for n in itertools.count(900_001):
        now = clock.now()
        order = {"order_id": str(n), "amount": "12.50", "currency": "EUR", "items": 1}
        bodies = [("orders", record("OrderPlaced", f"o-{n}", now, order))]
        if random.random() < 0.8:
            bodies.append(("payments", record("PaymentReceived", f"p-{n}", now + 1, order)))
        if random.random() < 0.2:
            bodies.append(("payments", record("PaymentReceived", f"p-{n}-again", now + 2, order)))
        for source, body in bodies:
            push.offer(source, [body])
        if stopped.wait(random.uniform(0.4, 1.6)):
            return


if __name__ == "__main__":
    main()
