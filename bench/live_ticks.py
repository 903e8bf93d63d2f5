"""Ticks into a ledger with many open cases: kept and judged; beside it a bare insert of the same records."""

from __future__ import annotations

import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import duckdb
import msgspec
import pyarrow as pa

from bench.live_ledger import MEMORY, Filled, batch_of, peak
from bench.setting import Setting
from bench.table import table
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.ledger.live import FindingFilter, Outlook

__all__ = ["replay", "ticks"]

_SIZES = (50_000, 200_000)
_RATE = 60_000


class _Spent(msgspec.Struct, frozen=True):
    seconds: float
    processor: float


def _spent(work: Callable[[], object]) -> _Spent:
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    return _Spent(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def ticks(setting: Setting, kept: Filled, folder: Path) -> str:
    """A table: for each size of tick what it takes to insert, to append and to judge."""
    ledger = DuckDBLiveLedger(kept.copy(folder), memory=MEMORY)
    bare = duckdb.connect(str(folder / "bare.duckdb"), config={"memory_limit": MEMORY, "wal_autocheckpoint": "256MB"})
    bare.execute("CREATE TABLE record (n BIGINT, body VARCHAR)")
    at, rows = kept.now, []
    try:
        for size in _SIZES:
            runs: dict[str, list[_Spent]] = {"bare insert": [], "append": [], "judge": []}
            for number in range(setting.rounds + 1):
                span = size * 1_000_000 // _RATE
                first = kept.orders.events
                bodies = kept.orders.take(size, at, span)
                at += span
                each = {
                    "bare insert": _spent(lambda: _insert(bare, bodies, first)),  # noqa: B023  (called at once)
                    "append": _spent(lambda: ledger.append([batch_of(bodies, first)], now=at)),  # noqa: B023
                    "judge": _spent(lambda: _judge(ledger, at)),  # noqa: B023
                }
                for name, spent in each.items():
                    runs[name] += [spent] if number else []  # the first warms up
            rows += _rows(size, runs)
            setting.say(f"ticks of {size:,} done")
    finally:
        bare.close()
        ledger.close()
    memory = peak()
    title = f"Live: ticks into a ledger of {kept.orders.orders:,} cases (peak {memory:,} MiB)"
    return table(title, ("tick", "seconds", "CPU s", "events/s", "events per CPU s", "× bare insert"), rows)


def _insert(bare: duckdb.DuckDBPyConnection, bodies: list[bytes], first: int) -> None:
    incoming = pa.table(
        {
            "n": pa.array(range(first, first + len(bodies)), pa.int64()),
            "body": pa.array(bodies, pa.binary()).cast(pa.large_string()),
        }
    )
    bare.register("incoming", incoming)
    bare.execute("INSERT INTO record SELECT n, body FROM incoming")
    bare.unregister("incoming")


def _judge(ledger: DuckDBLiveLedger, at: int) -> None:
    while ledger.judge(Outlook(at), now=at).more:
        pass


def _rows(size: int, runs: dict[str, list[_Spent]]) -> list[tuple[str, ...]]:
    taken = {name: _median(of_name) for name, of_name in runs.items()}
    taken["append and judge"] = _Spent(
        taken["append"].seconds + taken["judge"].seconds, taken["append"].processor + taken["judge"].processor
    )
    bare = taken["bare insert"].processor
    return [
        (
            f"{size:,}: {name}",
            f"{spent.seconds:.2f}",
            f"{spent.processor:.2f}",
            f"{size / spent.seconds:,.0f}",
            f"{size / spent.processor:,.0f}",
            f"{spent.processor / bare:.1f}",
        )
        for name, spent in taken.items()
    ]


def _median(runs: list[_Spent]) -> _Spent:
    return _Spent(median(run.seconds for run in runs), median(run.processor for run in runs))


def replay(kept: Filled, folder: Path) -> str:
    """A table: findings and notices before and after everything is judged once more."""
    shutil.rmtree(folder, ignore_errors=True)
    ledger = DuckDBLiveLedger(kept.copy(folder), memory=MEMORY)
    try:
        before = _told(ledger)
        spent = _spent(lambda: _replayed(ledger, kept.now))
        after = _told(ledger)
    finally:
        ledger.close()
    rows = [(name, f"{before[name]:,}", f"{after[name]:,}") for name in before]
    rows.append(("seconds", "", f"{spent.seconds:.1f}"))
    rows.append(("CPU s", "", f"{spent.processor:.1f}"))
    return table(f"Live: a replay of {kept.orders.events:,} events", ("", "before", "after"), rows)


def _replayed(ledger: DuckDBLiveLedger, now: int) -> None:
    done = ledger.replay(0, now + 1, Outlook(now), now=now)
    while done.after is not None:
        done = ledger.replay(0, now + 1, Outlook(now), now=now, after=done.after)


def _told(ledger: DuckDBLiveLedger) -> dict[str, int]:
    workflow = ledger.workflows()[0].name
    counts = ledger.counts(workflow)
    newest = ledger.findings(FindingFilter(), limit=1).items
    return {
        **{f"findings, {state}": n for state, n in counts.findings.items()},
        "latest change of a finding": newest[0].changed if newest else 0,
        "notices": len(ledger.notices(2**62, 1_000_000)),
    }
