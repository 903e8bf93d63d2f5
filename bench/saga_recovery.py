"""Recovery: every process is killed with 10,000 sagas in flight, the servers among them, and all is started again.

The sagas are those of the campaign (`python -m tests.chaos.sagas`), four steps over three participants, some of which fail;
but each has an account of its own, so that none waits for another, and answers are awaited for 30 s.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import psycopg

from bench.setting import Setting
from bench.table import table

__all__ = ["saga_recovery"]

_IN_FLIGHT = 10_000
_ASKED_FOR = 13_000
_RATE = 4_000.0
_WITHIN = 600.0
_BEFORE = "create table before as select id, revision from sagacity.sagas where ended is null"
_STANDING = "select count(*) from before join sagacity.sagas using (id) where sagas.revision = before.revision"
_ENDED = "select count(*) from before join sagacity.sagas using (id) where ended is not null"
_LATER = 120.0


class _Recovery(msgspec.Struct):
    """Seconds from the restart: when the servers answered, when such shares of the sagas had gone on. `ended` counts those
    that had ended two minutes after it."""

    in_flight: int
    servers: float
    half: float
    most: float
    all: float
    ended: int


def saga_recovery(setting: Setting) -> str:
    """Two orchestrators, two relays, three participants; Apache Kafka and PostgreSQL with fsync on."""
    runs = []
    for turn in range(setting.rounds):
        with tempfile.TemporaryDirectory(dir=setting.folder) as folder:
            runs.append(_recovery(Path(folder).resolve(), turn))
        setting.say(f"turn {turn + 1}: {runs[-1]}")
    rows = [
        ("in flight", f"{median(run.in_flight for run in runs):,.0f}"),
        ("servers up again, s", f"{median(run.servers for run in runs):.1f}"),
        ("half have gone on, s", f"{median(run.half for run in runs):.1f}"),
        ("99 % have gone on, s", f"{median(run.most for run in runs):.1f}"),
        ("all have gone on, or ended, s", f"{median(run.all for run in runs):.1f}"),
        ("ended after two minutes", f"{median(run.ended for run in runs):,.0f}"),
    ]
    return table("Every process killed with sagas in flight; from the restart", ("what", "figure"), rows)


def _recovery(folder: Path, seed: int) -> _Recovery:
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from chaos.sagas.fleet import NAMES, fleet

    with fleet(folder, seed, _ASKED_FOR, _RATE, timeout=30.0, sharing=False) as running:
        running.start(*NAMES)
        dsn = running.setup.databases["sagas"]
        with psycopg.connect(dsn, autocommit=True) as connection:
            _until(connection, "select count(*) from sagacity.sagas where ended is null", lambda many: many >= _IN_FLIGHT)
        running.kill_all()
        began = time.monotonic()
        running.postgres.start()
        running.broker.start()
        servers = time.monotonic() - began
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(_BEFORE)
            row = connection.execute("select count(*) from before").fetchone()
            assert row is not None
            many = int(row[0])
            running.start(*(name for name in NAMES if name != "starter"))
            half, most, all_ = (_gone_on(connection, round(share * many)) - began for share in (0.5, 0.01, 0.0))
            time.sleep(max(began + _LATER - time.monotonic(), 0.0))
            row = connection.execute(_ENDED).fetchone()
            ended = 0 if row is None else int(row[0])
        return _Recovery(many, servers, half, most, all_, ended)


def _gone_on(connection: psycopg.Connection[Any], but: int) -> float:
    """When all but so many have gone on from where they stood."""
    return _until(connection, _STANDING, lambda left: left <= but)


def _until(connection: psycopg.Connection[Any], query: str, holds: Callable[[int], bool]) -> float:
    """When it holds, as `time.monotonic` has it. Raises RuntimeError where it does not in time."""
    limit = time.monotonic() + _WITHIN
    while time.monotonic() < limit:
        row = connection.execute(query.encode()).fetchone()
        if row is not None and holds(row[0]):
            return time.monotonic()
        time.sleep(0.1)
    raise RuntimeError(f"not within {_WITHIN:.0f} s: {query}")
