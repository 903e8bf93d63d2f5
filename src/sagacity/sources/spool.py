"""A private place on disk for input that cannot be read twice: standard input, pipes, rows in memory, XES."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import BinaryIO

from sagacity.errors import SourceError

__all__ = ["Spool"]

_BLOCK = 1 << 20


class Spool:
    """A folder that only its owner may read, made at first use, and removed when the spool is closed, collected, or the
    process ends. Copying takes memory for one block, whatever the size of the input.

    Not thread-safe.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._parent = folder
        self._folder: Path | None = None
        self._removal: weakref.finalize[..., Spool] | None = None
        self._count = 0

    def new(self, suffix: str = "") -> Path:
        """The path of a file that does not exist yet."""
        if self._folder is None:
            try:
                self._folder = Path(tempfile.mkdtemp(prefix="sagacity-", dir=self._parent))
            except OSError as error:
                raise _full(error) from error
            self._removal = weakref.finalize(self, shutil.rmtree, str(self._folder), ignore_errors=True)
        self._count += 1
        return self._folder / f"{self._count}{suffix}"

    def copy(self, stream: BinaryIO, suffix: str = "") -> Path:
        """Write a stream to a new file, to its end. Raises SourceError where the disk has no room for it."""
        path = self.new(suffix)
        try:
            with path.open("xb") as out:
                shutil.copyfileobj(stream, out, _BLOCK)
        except OSError as error:
            raise _full(error) from error
        return path

    def close(self) -> None:
        """Remove the folder and all files in it. A closed spool may be used again."""
        if self._removal is not None:
            self._removal()
        self._folder = self._removal = None

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _full(error: OSError) -> SourceError:
    return SourceError(
        f"cannot keep input in a temporary file: {error.strerror or error}",
        hint="make room there, or name a folder with room in the environment variable TMPDIR",
    )
