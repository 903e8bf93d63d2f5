"""What runs, written into the data folder for the other commands: who started it, and each part's process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from shop.local.keeper import Condition
from shop.local.seen import identity, is_stopped

__all__ = ["Process", "State", "alone", "is_held", "read", "reap", "write"]

_GONE_WITHIN = 10.0


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One part. `identity` tells its process from a later one with the same number."""

    name: str
    condition: Condition
    pid: int | None = None
    identity: str | None = None
    restarts: int = 0
    where: str = ""
    log: str = ""
    crash: int = int(signal.SIGKILL)
    """The signal that ends it as a crash would."""

    @property
    def lives(self) -> bool:
        """Whether its process is there, and is still that one."""
        return self.pid is not None and self.identity is not None and identity(self.pid) == self.identity

    @property
    def frozen(self) -> bool:
        """Whether somebody lets it do nothing, whatever its condition was before."""
        return self.pid is not None and self.lives and is_stopped(self.pid)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All parts, and the process that keeps them."""

    pid: int
    identity: str | None
    parts: tuple[Process, ...]
    web: str = ""
    rpc: str = ""

    @property
    def lives(self) -> bool:
        return self.identity is not None and identity(self.pid) == self.identity

    def named(self, name: str) -> tuple[Process, ...]:
        """The part of this name, or every replica of the service of this name."""
        exact = tuple(part for part in self.parts if part.name == name)
        return exact or tuple(part for part in self.parts if part.name.rpartition("-")[0] == name)


def read(folder: Path) -> State | None:
    """What was last written; None where nothing was."""
    with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
        return msgspec.json.decode((folder / "state.json").read_bytes(), type=State)
    return None


def write(folder: Path, state: State) -> None:
    beside = folder / "state.json.new"
    beside.write_bytes(msgspec.json.encode(state))
    beside.replace(folder / "state.json")


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Whether the caller is the only one who keeps a stack in this folder; held until it leaves, however it leaves."""
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def is_held(folder: Path) -> bool:
    """Whether somebody keeps a stack in this folder now."""
    if not (folder / "lock").exists():
        return False
    with alone(folder) as free:
        return not free


def reap(parts: Sequence[Process]) -> int:
    """End what an earlier stack has left behind, killed as it may have been; how many there were."""
    left = [part for part in parts if part.lives]
    for part in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(part.pid or 0, part.crash)
            os.kill(part.pid or 0, signal.SIGCONT)
    limit = time.monotonic() + _GONE_WITHIN
    while any(part.lives for part in left) and time.monotonic() < limit:
        time.sleep(0.05)
    for part in left:
        if part.lives:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(part.pid or 0, signal.SIGKILL)
    return len(left)
