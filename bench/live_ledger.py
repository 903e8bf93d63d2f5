"""A live ledger with many open cases: made once, kept, and copied for each measurement."""

from __future__ import annotations

import pickle
import shutil
import time
from pathlib import Path

import msgspec

from bench.setting import WORKFLOWS, Setting
from bench.traffic import Orders
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.ledger.live import Outlook
from sagacity.reconcile.instants import now
from sagacity.sources.stream import Batch
from sagacity.workflow.language.reader import load

__all__ = ["MEMORY", "SOURCE", "Filled", "Shifted", "batch_of", "filled", "peak"]

MEMORY = "1GB"
"""What the database may hold, as `sagacity serve` has it by default."""

SOURCE = "orders"
_WORKFLOW = WORKFLOWS / "order15.workflow.yaml"
_BEGAN = 1_790_000_000_000_000
_STEP = 200_000
_RATE = 100_000


class Filled(msgspec.Struct, frozen=True):
    """Where the kept ledger lies, the traffic that goes on from it, the time (microseconds UTC) it has come to."""

    folder: Path
    orders: Orders
    now: int

    def copy(self, target: Path) -> Path:
        """A copy to work on."""
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.folder, target, ignore=shutil.ignore_patterns("state"))
        return target


class Shifted:
    """A clock that begins at a given instant, and goes on as that of this machine."""

    def __init__(self, began: int) -> None:
        self._ahead = began - now()

    def now(self) -> int:
        return now() + self._ahead


def batch_of(bodies: list[bytes], first: int) -> Batch:
    """Records of one part, from this position on."""
    positions = range(first, first + len(bodies))
    return Batch(source=SOURCE, part="filled", bodies=bodies, positions=positions, resume=positions.stop)


def peak() -> int:
    """The most memory that this process has held at once, in MiB. Not `ru_maxrss`, which begins with its parent's."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) // 1024


def filled(setting: Setting, cases: int) -> Filled:
    """A ledger of so many cases that are open, with about as many events as they have halfway through their lives."""
    target = setting.folder / f"live-{cases}"
    if not (target / "state").exists():
        _fill(setting, target, cases)
    with (target / "state").open("rb") as file:
        orders, at = pickle.load(file)
    return Filled(target, orders, at)


def _fill(setting: Setting, target: Path, cases: int) -> None:
    shutil.rmtree(target, ignore_errors=True)
    orders, at, began = Orders(), _BEGAN, time.monotonic()
    ledger = DuckDBLiveLedger(target, memory=MEMORY)
    try:
        ledger.adopt(load(_WORKFLOW), _WORKFLOW.read_text(), by="bench", now=at)
        while orders.orders < cases:
            span = _STEP * 1_000_000 // _RATE
            first = orders.events
            ledger.append([batch_of(orders.take(_STEP, at, span), first)], now=at)
            at += span
            while ledger.judge(Outlook(at), now=at).more:
                pass
            setting.say(f"{orders.orders:,} cases, {orders.events:,} events, {time.monotonic() - began:.0f} s")
    finally:
        ledger.close()
    with (target / "state").open("wb") as file:
        pickle.dump((orders, at), file)
