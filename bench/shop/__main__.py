"""`python -m bench.shop [--purchases 1000] [--rounds idle,load,fire] [--hops]`: exits with 2 where an end is not as it must
be, or the databases do not agree. `--cache [--changes 200]`: where a change is not seen by every replica within a second."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.shop.changes import heard
from bench.shop.changes import shown as shown_changes
from bench.shop.course import ROUNDS, Asked, course
from bench.shop.shown import shown
from shop.customers.edge import OutOfPatienceError

__all__ = ["main"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.shop", description="The whole shop: idle, loaded, under kills.")
    parser.add_argument("--rounds", default=",".join(ROUNDS), help=f"some of: {','.join(ROUNDS)}")
    parser.add_argument("--idle", type=int, default=100, help="purchases one at a time")
    parser.add_argument("--purchases", type=int, default=1000, help="purchases of each other round")
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--kills", type=int, default=1, help="how often each service is killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hops", action="store_true", help="also where the time of a purchase goes, one at a time")
    parser.add_argument("--folder", type=Path, help="where the shop is meanwhile, by default where temporary files are")
    parser.add_argument("--cache", action="store_true", help="only how long until every replica tells of a change")
    parser.add_argument("--changes", type=int, default=200, help="so many of them")
    given = parser.parse_args()
    rounds = tuple(name for name in ROUNDS if name in given.rounds.split(","))
    if set(given.rounds.split(",")) - set(ROUNDS):
        parser.error(f"rounds are {', '.join(ROUNDS)}")
    asked = Asked(
        rounds=rounds, idle=given.idle, purchases=given.purchases, at_once=given.at_once, kills=given.kills, seed=given.seed
    )
    try:
        if given.cache:
            told = heard(given.changes, _say, given.folder)
            print(shown_changes(told))
            return 0 if told.well else 2
        came = course(asked, _say, given.folder)
    except OutOfPatienceError as error:
        print(f"something has not come to its end: {error}", file=sys.stderr)
        return 2
    print(shown(came, hops=given.hops))
    return 0 if came.well else 2


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
