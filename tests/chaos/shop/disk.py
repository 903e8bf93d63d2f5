"""A small disk for the reconciler's ledger, to be filled up: a tmpfs, where this machine lets one be mounted."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Disk", "mounted"]

_WITHIN = 30.0
_BALLAST = "ballast"
_AT_ONCE = 1 << 20


class Disk:
    """A file system of its own, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / _BALLAST

    def fill(self) -> None:
        """Leave no byte of it."""
        block = bytes(_AT_ONCE)
        with self._ballast.open("ab", buffering=0) as ballast:
            while block:
                try:
                    ballast.write(block)
                except OSError:
                    block = block[: len(block) // 2]

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)


@contextlib.contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Disk | None]:
    """A disk of this size, unmounted at the end; None where none may be mounted here."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m,mode=700,uid={os.getuid()},gid={os.getgid()}"
    command = ["mount", "-t", "tmpfs", "-o", options, "sagacity-chaos", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_WITHIN)
    except OSError:  # there is no such program
        yield None
        return
    if done.returncode:
        yield None
        return
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True, timeout=_WITHIN)
