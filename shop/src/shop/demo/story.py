"""All of it, from the first server to the last number."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import msgspec
from rich.console import Console

from shop.demo.audit import Audit, audited
from shop.demo.crowd import Crowd
from shop.demo.opening import Open, opened
from shop.demo.strikes import Strikes
from shop.demo.telling import Teller
from shop.demo.watching import Reconciler, Watching
from shop.local.kept import forget
from shop.local.state import alone, read, reap

__all__ = ["Asked", "tell_story"]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """`seconds` is how long customers come, `rate` how many purchases they make a second. `stays`: until Ctrl-C."""

    folder: Path
    seconds: float = 60.0
    rate: float = 3.0
    port: int = 8080
    seed: int = 1
    stays: bool = False


def tell_story(asked: Asked, console: Console, ended: Event) -> bool:
    """Whether every purchase is accounted for, and what was found is what was planted. Its folder is emptied before.
    `ended` is set where it is to end early. Raises UnavailableError where a server cannot be had."""
    asked.folder.mkdir(parents=True, exist_ok=True)
    with alone(asked.folder) as free:
        if not free:
            console.print(f"another demonstration runs in {asked.folder}")
            return False
        if (before := read(asked.folder)) is not None:
            reap(before.parts)
        forget(asked.folder)
        teller = Teller(console)
        teller.begins(asked.folder)
        began = time.monotonic()
        with opened(asked.folder, asked.port, teller.server) as shop:
            teller.open(shop, time.monotonic() - began)
            audit = _told(shop, asked, teller, ended)
            if audit is None:
                return False
            teller.audit(audit)
            if asked.stays:
                teller.stays(shop)
                ended.wait()
        return audit.good


def _told(shop: Open, asked: Asked, teller: Teller, ended: Event) -> Audit | None:
    """Customers come, faults strike, Sagacity watches; None where it was ended early."""
    crowd = Crowd(shop.stack.web, shop.shelf, shop.customers, rate=asked.rate, seconds=asked.seconds, seed=asked.seed)
    reconciler = Reconciler(shop.reconciler)
    teller.clock = lambda: crowd.offset
    teller.customers(crowd.total, asked.seconds)
    try:
        with (
            Watching(reconciler, teller.found) as watching,
            Strikes(shop, crowd, teller.strike) as strikes,
            _until(ended, crowd),
        ):
            bought = crowd.run(teller.bought)
            strikes.wait()
            if ended.is_set():
                return None
            teller.settling()
            audit = audited(shop, bought, reconciler)
            watching.look()
        return audit
    finally:
        reconciler.close()


@contextmanager
def _until(ended: Event, crowd: Crowd) -> Iterator[None]:
    """Meanwhile, nobody begins another purchase once it is to end."""
    over = Event()

    def watch() -> None:
        while not over.wait(0.2):
            if ended.is_set():
                crowd.stop()
                return

    watching = Thread(target=watch, name="ending", daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
