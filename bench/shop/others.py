"""How much of the machine others use: figures that were taken while they did say little of the shop."""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["Others"]

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_BUSY = (0, 1, 2, 5, 6)  # user, nice, system, interrupts
_PARENT, _TIMES = 1, slice(11, 15)  # behind the name in /proc/PID/stat: the parent; own times, and those of ended children


class Others:
    """From when it is made until it is asked. What this process and those that it has started use is no others'."""

    def __init__(self) -> None:
        self._before = _used() if _PROC.is_dir() else None

    def processors(self) -> float | None:
        """How many processors others kept busy on average; None where the machine does not tell."""
        if self._before is None:
            return None
        began, busy, own = self._before
        ended, busy_now, own_now = _used()
        return max(busy_now - busy - (own_now - own), 0.0) / (ended - began)


def _used() -> tuple[float, float, float]:
    """When, and seconds of processors that all have used, and that our own have."""
    total = (_PROC / "stat").read_text().splitlines()[0].split()[1:]
    return time.monotonic(), sum(int(total[at]) for at in _BUSY) / _TICKS, _own() / _TICKS


def _own() -> int:
    children: dict[int, list[int]] = {}
    times: dict[int, int] = {}
    for each in _PROC.iterdir():
        if not each.name.isdigit():
            continue
        try:
            fields = (each / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[_PARENT]), []).append(int(each.name))
        times[int(each.name)] = sum(map(int, fields[_TIMES]))
    family, open_ones = 0, [os.getpid()]
    while open_ones:
        pid = open_ones.pop()
        family += times.get(pid, 0)
        open_ones += children.get(pid, [])
    return family
