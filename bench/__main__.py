"""`python -m bench [--events 1e7] [--rounds 5] [--only history,jsonl,live,saga,saga-kafka,…]`: prints the tables; exits with
2 where what was measured has not done what it must."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from bench.declare4py import declare4py
from bench.discover import discover
from bench.engines import engines
from bench.history import history
from bench.jsonlines import jsonlines
from bench.live import live
from bench.saga import saga
from bench.saga_kafka import saga_kafka
from bench.saga_recovery import saga_recovery
from bench.setting import Setting
from bench.shop.shown import WrongError, shop
from bench.startup import startup

TABLES: dict[str, Callable[[Setting], str]] = {
    "history": history,
    "jsonl": jsonlines,
    "declare4py": declare4py,
    "discover": discover,
    "engines": engines,
    "live": live,
    "saga": saga,
    "saga-kafka": saga_kafka,
    "saga-recovery": saga_recovery,
    "shop": shop,
    "startup": startup,
}


def _count(text: str) -> int:
    return int(float(text))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks, side by side with the alternatives.")
    parser.add_argument("--events", type=_count, default=10_000_000, help="size of the history, such as 1e6")
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs; the medians count")
    parser.add_argument("--only", default=",".join(TABLES), help=f"some of: {','.join(TABLES)}")
    parser.add_argument("--folder", type=Path, default=Path("build/bench"), help="where data is made and kept")
    given = parser.parse_args()
    chosen = [name.strip() for name in given.only.split(",")]
    if unknown := [name for name in chosen if name not in TABLES]:
        parser.error(f"there is no table {unknown[0]!r}; there are {', '.join(TABLES)}")
    setting = Setting(events=given.events, rounds=given.rounds, folder=given.folder)
    setting.folder.mkdir(parents=True, exist_ok=True)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, medians of {setting.rounds}\n")
    wrong = False
    for name in chosen:
        setting.say(f"{name}:")
        try:
            print(TABLES[name](setting), flush=True)
        except WrongError as error:
            wrong = True
            print(error, flush=True)
    return 2 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
