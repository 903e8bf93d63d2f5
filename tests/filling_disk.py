"""A live ledger on a disk that fills up and is made room on again; run as a program, since it limits its own process.

    python tests/filling_disk.py FOLDER LIMIT [--checkpoint] [--reader]

LIMIT is how large, in bytes, a file may become. `--checkpoint` makes the database write to its file early, so that it is
there that the disk is full; `--reader` has a reader hold what it reads all the while. Prints what happened as JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import string
import threading
import time
from collections.abc import Callable
from pathlib import Path

from live_records import iso
from live_story import ORDER, START
from sagacity.errors import SagacityError
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.reconcile.clock import SystemClock
from sagacity.reconcile.live import Live
from sagacity.sources.push import PushStream
from sagacity.workflow.language.reader import loads

_RANDOM = random.Random(3)
_BATCH = 200
_WITHIN = 90.0


def _until(done: Callable[[], bool]) -> bool:
    limit = time.monotonic() + _WITHIN
    while not done() and time.monotonic() < limit:
        time.sleep(0.02)
    return done()


def _body(number: int) -> bytes:
    fill = "".join(_RANDOM.choices(string.ascii_letters, k=2_000))
    record = {"type": "Placed", "time": iso(START + number), "id": f"e{number}", "order": f"o{number}", "fill": fill}
    return json.dumps(record).encode()


def main() -> None:
    """Fill the disk, look, make room, look again."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("limit", type=int)
    parser.add_argument("--checkpoint", action="store_true")
    parser.add_argument("--reader", action="store_true")
    given = parser.parse_args()
    ledger = DuckDBLiveLedger(given.folder, threads=1, memory="256MB")
    ledger.adopt(loads(ORDER), ORDER, by="test", now=START)
    if given.checkpoint:
        ledger._store._settings["wal_autocheckpoint"] = "1MB"
        ledger._store.writer.execute("SET wal_autocheckpoint = '1MB'")
    push = PushStream(["orders"])
    live = Live(ledger, [push], clock=SystemClock())
    failures: list[str] = []

    def run() -> None:
        try:
            live.run()
        except BaseException as error:
            failures.append(f"{type(error).__name__}: {error}")

    rounds = threading.Thread(target=run, daemon=True)
    rounds.start()
    released = threading.Event()
    if given.reader:
        threading.Thread(target=_read, args=(ledger, released), daemon=True).start()
    resource.setrlimit(resource.RLIMIT_FSIZE, (given.limit, resource.RLIM_INFINITY))
    sent, offers = 0, []
    while live.status().state in ("starting", "running") and sent < 100 * _BATCH and rounds.is_alive():
        offer = push.offer("orders", [_body(number) for number in range(sent, sent + _BATCH)])
        offers.append(offer)
        sent += _BATCH
        _until(lambda offer=offer: offer.done() or live.status().state == "stalled" or not rounds.is_alive())  # type: ignore[misc]
    stalled, problem = live.status().state, live.status().problem
    waiting = sum(not offer.done() for offer in offers)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    released.set()
    recovered = _until(lambda: all(offer.done() for offer in offers) and live.status().state == "running")
    offers.append(push.offer("orders", [_body(sent)]))
    _until(offers[-1].done)
    live.stop()
    rounds.join(20)
    ledger.close()
    again = DuckDBLiveLedger(given.folder, threads=1, memory="256MB")
    (account,) = again.accounts()
    with again._store.reading() as reading:
        row = reading.execute("SELECT count(*), count(DISTINCT body), count(DISTINCT n) FROM record").fetchone()
    again.close()
    told = {"stalled": stalled, "problem": problem, "waiting": waiting, "recovered": recovered, "failures": failures}
    print(json.dumps({**told, "sent": sent + 1, "kept": account.records, "rows": row}))


def _read(ledger: DuckDBLiveLedger, released: threading.Event) -> None:
    while not released.is_set():
        try:
            with ledger._store.reading() as reading:
                reading.execute("SELECT count(*) FROM record").fetchall()
                released.wait(0.5)
        except SagacityError:
            released.wait(0.05)


if __name__ == "__main__":
    main()
