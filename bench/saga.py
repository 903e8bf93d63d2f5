"""Against DBOS: three durable steps each, in one process, on the same PostgreSQL with fsync on, in turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import msgspec

from bench.setting import Setting
from bench.table import table

__all__ = ["saga", "server"]

_OURS = Path(__file__).with_name("saga_side.py")
_THEIRS = Path(__file__).with_name("saga_dbos_side.py")
_WITHIN = 300
_IN_FLIGHT = {1: (60, 300), 64: (600, 4000), 256: (1000, 8000)}
"""How many at once; of these, how many DBOS does in a round, and how many Sagacity does."""


class _Run(msgspec.Struct):
    rate: float
    p50: float
    processor: float


def saga(setting: Setting) -> str:
    """The interpreter that has DBOS is this one, or the one that the variable DBOS names."""
    interpreter = os.environ.get("DBOS", sys.executable)
    if subprocess.run([interpreter, "-c", "import dbos"], capture_output=True, check=False).returncode:
        return (
            "### Sagas\n\nDBOS is not installed here: make another environment, `pip install dbos` there, and name its "
            "python in the variable DBOS\n"
        )
    runs: defaultdict[tuple[int, str], list[_Run]] = defaultdict(list)
    with server() as servers:
        for turn in range(setting.rounds):
            for in_flight, (theirs, ours) in _IN_FLIGHT.items():
                for name, command in {
                    "DBOS, threads": [interpreter, str(_THEIRS), servers("url"), str(in_flight), str(theirs), "threads"],
                    "DBOS, async": [interpreter, str(_THEIRS), servers("url"), str(in_flight), str(theirs), "async"],
                    "sagacity, inline": [sys.executable, str(_OURS), servers("dsn"), str(in_flight), str(ours), "inline"],
                    "sagacity, local": [sys.executable, str(_OURS), servers("dsn"), str(in_flight), str(ours), "local"],
                }.items():
                    run = _ran(command)
                    runs[in_flight, name].append(run)
                    setting.say(f"{name}, {in_flight} in flight, turn {turn + 1}: {run.rate:,.0f}/s, p50 {run.p50:.1f} ms")
    rows = []
    for (in_flight, name), done in runs.items():
        best = max(median(run.rate for run in runs[in_flight, each]) for each in ("DBOS, threads", "DBOS, async"))
        rate = median(run.rate for run in done)
        p50 = median(run.p50 for run in done)
        used = median(run.processor for run in done)
        rows.append((f"{in_flight} in flight: {name}", f"{rate:,.0f}", f"{rate / best:.1f}", f"{p50:.1f}", f"{used:.2f}"))
    title = "Three durable steps, participants in the process, fsync on"
    return table(title, ("what", "sagas/s", "against the better DBOS", "p50 ms", "CPU ms a saga, client"), rows)


def _ran(command: list[str]) -> _Run:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[1]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return msgspec.convert(json.loads(done.stdout.splitlines()[-1]), _Run)


class Databases:
    """Three databases on one server: ours, one for participants, and one for the other side, by its URL."""

    def __init__(self, ours: str, participants: str, theirs: str) -> None:
        parts = dict(part.split("=", 1) for part in theirs.split())
        self._named = {
            "dsn": ours,
            "participants": participants,
            "url": f"postgresql://{parts['user']}@{parts['host']}:{parts['port']}/{parts['dbname']}",
        }

    def __call__(self, name: str) -> str:
        return self._named[name]


@contextmanager
def server() -> Iterator[Databases]:
    """A PostgreSQL of its own, the one that tests have."""
    from sagacity.testing.servers.postgres import PostgreSQL, prepare_postgres

    running = PostgreSQL(prepare_postgres())
    try:
        running.start()
        with running.database() as ours, running.database() as participants, running.database() as theirs:
            yield Databases(ours, participants, theirs)
    finally:
        running.remove()
