"""What a benchmark is run with: sizes, rounds, where files are kept."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

__all__ = ["WORKFLOWS", "Setting"]

WORKFLOWS = Path(__file__).parent / "workflows"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """`events` is the size of the history, `rounds` how often each command is run, `folder` where data is kept."""

    events: int = 10_000_000
    rounds: int = 5
    folder: Path = Path("build/bench")

    def say(self, text: str) -> None:
        """Progress, on standard error."""
        print(f"  {text}", file=sys.stderr, flush=True)
