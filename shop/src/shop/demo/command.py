"""`python -m shop.demo`: the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from sagacity.testing.servers.unavailable import UnavailableError
from shop.demo.story import Asked, tell_story
from shop.local.ending import ending

__all__ = ["main"]

_DATA = "build/demo/shop"
_SHORTEST = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where everything is accounted for, 1 where it is not or cannot be started."""
    given = _parser().parse_args(arguments)
    console = Console(highlight=False)
    stays = sys.stdout.isatty() and not given.once
    asked = Asked(
        folder=Path(given.data).absolute(),
        seconds=given.seconds,
        rate=given.rate,
        port=given.port,
        seed=given.seed,
        stays=stays,
    )
    with ending() as ended:
        try:
            return 0 if tell_story(asked, console, ended) else 1
        except UnavailableError as error:
            console.print(f"cannot start: {error}")
            return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m shop.demo",
        description="The shop runs on this machine, customers buy, faults strike, and Sagacity tells what happened.",
        epilog="Example: python -m shop.demo --seconds 120 --rate 5",
    )
    parser.add_argument("--seconds", type=_seconds, default=60.0, help="how long customers come (default: 60; 30 at least)")
    parser.add_argument("--rate", type=float, default=3.0, help="purchases a second (default: 3)")
    parser.add_argument(
        "--port", type=int, default=8080, help="where the shop takes requests, if it is free (default: 8080)"
    )
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same purchases")
    parser.add_argument("--data", default=_DATA, metavar="FOLDER", help=f"emptied first (default: {_DATA})")
    parser.add_argument("--once", action="store_true", help="end with the audit, on a terminal, too")
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if seconds < _SHORTEST:
        raise argparse.ArgumentTypeError(f"the story takes {_SHORTEST:.0f} seconds at least")
    return seconds
