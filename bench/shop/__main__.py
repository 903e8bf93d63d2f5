"""`python -m bench.shop [--purchases 1000] [--rounds idle,load,fire] [--hops]`: exits with 2 where an end is not as it must
be, or the databases do not agree."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

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
    given = parser.parse_args()
    rounds = tuple(name for name in ROUNDS if name in given.rounds.split(","))
    if set(given.rounds.split(",")) - set(ROUNDS):
        parser.error(f"rounds are {', '.join(ROUNDS)}")
    asked = Asked(
        rounds=rounds, idle=given.idle, purchases=given.purchases, at_once=given.at_once, kills=given.kills, seed=given.seed
    )
    try:
        came = course(asked, lambda line: print(f"  {line}", file=sys.stderr, flush=True), given.folder)
    except OutOfPatienceError as error:
        print(f"a purchase has not come to its end: {error}", file=sys.stderr)
        return 2
    print(shown(came, hops=given.hops))
    return 0 if came.well else 2


if __name__ == "__main__":
    sys.exit(main())
