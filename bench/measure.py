"""Measures whole commands, interleaved: wall time, processor time and peak memory, medians over rounds."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import msgspec

__all__ = ["Measured", "interleaved", "millions", "python", "sagacity"]

_LAUNCH = Path(__file__).with_name("launch.py")


class Measured(msgspec.Struct, frozen=True):
    """The medians over rounds: seconds on the wall and of processor time, and MiB of memory at the peak."""

    seconds: float
    processor: float
    memory: float


def millions(events: int, run: Measured) -> str:
    """Events a second, in millions."""
    return f"{events / run.seconds / 1e6:.2f} M"


def sagacity(*arguments: str | Path) -> list[str]:
    """The command `sagacity …` of the interpreter that runs this."""
    return [str(Path(sys.executable).with_name("sagacity")), *map(str, arguments)]


def python(code: str, interpreter: str = sys.executable) -> list[str]:
    """The command `python -c code`."""
    return [interpreter, "-c", code]


def interleaved(
    commands: Mapping[str, Sequence[str]], rounds: int, progress: Callable[[str], None], exits: tuple[int, ...] = (0, 1)
) -> dict[str, Measured]:
    """Runs each command once a round, in turn, so that a slow moment of the machine strikes all of them.

    A first round warms caches up and does not count. Raises RuntimeError where a command exits with a code that is not
    among `exits`.
    """
    runs: dict[str, list[Measured]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            run = _run(command, exits)
            progress(f"{name}: round {number} of {rounds}: {run.seconds:.2f} s" + (" (to warm up)" if number == 0 else ""))
            if number:
                runs[name].append(run)
    return {name: _median(measured) for name, measured in runs.items()}


def _run(command: Sequence[str], exits: tuple[int, ...]) -> Measured:
    with tempfile.NamedTemporaryFile("r", suffix=".json") as taken:
        launch = [sys.executable, "-I", "-S", str(_LAUNCH), taken.name, *command]
        said = subprocess.run(launch, stderr=subprocess.PIPE, text=True, check=True).stderr
        run = json.load(taken)
    if run.pop("exit") not in exits:
        raise RuntimeError(f"{' '.join(command)[:300]}\nfailed:\n{said[-2000:]}")
    return Measured(**run)


def _median(runs: Sequence[Measured]) -> Measured:
    return Measured(*(median(getattr(run, field) for run in runs) for field in Measured.__struct_fields__))
