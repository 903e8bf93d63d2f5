"""Processes as the machine sees them: whether one is still the same, and how much memory it takes with its children."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

__all__ = ["identity", "is_stopped", "resident"]

_PROC = Path("/proc")
_STARTED, _PARENT = 19, 1  # fields of /proc/PID/stat, counted from the one behind the name


def identity(pid: int) -> str | None:
    """What tells this process from a later one of the same number: when it started. None where there is none, or only what
    is left of it until its parent looks."""
    if _PROC.is_dir():
        fields = _stat(pid)
        return fields[_STARTED] if fields and fields[0] != "Z" else None
    said = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=10)
    return said.stdout.strip() or None


def is_stopped(pid: int) -> bool:
    """Whether this process does nothing until it gets SIGCONT."""
    if _PROC.is_dir():
        fields = _stat(pid)
        return fields is not None and fields[0] == "T"
    said = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, timeout=10)
    return said.stdout.startswith("T")


def resident(pids: Iterable[int]) -> dict[int, int]:
    """Bytes of memory that each process takes together with its children. What several share is counted once where the
    machine tells (Linux, for one's own processes), else with each."""
    wanted = list(pids)
    parents = _parents()
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found = {}
    for pid in wanted:
        family, open_ones = [], [pid]
        while open_ones:
            family.append(open_ones.pop())
            open_ones += children.get(family[-1], [])
        found[pid] = sum(map(_memory, family))
    return found


def _parents() -> dict[int, int]:
    if _PROC.is_dir():
        pids = [int(each.name) for each in _PROC.iterdir() if each.name.isdigit()]
        return {pid: int(fields[_PARENT]) for pid in pids if (fields := _stat(pid))}
    said = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, timeout=10).stdout
    return {int(pid): int(parent) for pid, parent in (line.split() for line in said.splitlines())}


def _stat(pid: int) -> list[str] | None:
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _memory(pid: int) -> int:
    for file, name in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            lines = (_PROC / str(pid) / file).read_text().splitlines()
        except OSError:
            continue
        found = next((line.split()[1] for line in lines if line.startswith(name)), None)
        if found is not None:
            return int(found) * 1024
    if _PROC.is_dir():
        return 0
    said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, timeout=10).stdout
    return int(said.strip() or 0) * 1024
