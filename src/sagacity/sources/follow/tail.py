"""A file that lines are appended to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from sagacity.sources.follow.identity import HEAD, Identity
from sagacity.sources.follow.lines import LONGEST, Lines, nothing, one_line, shortened, whole_lines

__all__ = ["CHUNK", "Tail"]

CHUNK = 2**20


class Tail:
    """Reads complete lines from an offset on; a line without its end waits. Holds no more than a chunk of the file.

    The file stays open, so that what was written to it before it was renamed or deleted is read to its end.
    """

    def __init__(self, path: str, identity: Identity, offset: int) -> None:
        self.identity = identity
        self.offset = offset
        self._held: BinaryIO | None = None
        self._path = path
        self._size = os.fstat(self._file.fileno()).st_size
        self._searched = offset
        """Where to look for the next line's end: past the beginning of a long line that has none yet."""
        self._exhausted = offset
        """Up to here there is no complete line after the offset."""

    @property
    def _file(self) -> BinaryIO:
        if self._held is None:
            self._held = Path(self._path).open("rb", buffering=0)  # noqa: SIM115 - closed by `close`
        return self._held

    @property
    def open(self) -> bool:
        return self._held is not None

    lacks = None
    """Nothing is ever wrong with a file that is only appended to."""

    @property
    def waiting(self) -> bool:
        """Whether more may be read without anything being appended."""
        return self._exhausted < self._size

    def is_another(self) -> bool:
        """Whether something else was written in the place of what was read. To be asked before each `read`."""
        size = os.fstat(self._held.fileno()).st_size if self._held else self._size_at(self._path)
        if size == self._size:
            return False
        self._size = size
        if size < self._exhausted:
            self._searched = self._exhausted = self.offset
        return size < self.offset or not self.identity.holds(self.identity.inode, self._read(0, HEAD))

    def read(self, most: int) -> Lines:
        """Records of the next chunk, `most` at the most."""
        chunk = self._read(self._searched, CHUNK)
        if len(chunk) < CHUNK:
            self._size = self._searched + len(chunk)
        end = chunk.rfind(b"\n") + 1
        if end == 0:
            self._searched = self._exhausted = self._searched + len(chunk)
            return nothing(self.offset)
        if self._searched > self.offset:
            return self._long_line(chunk.find(b"\n") + self._searched)
        lines = whole_lines(chunk[:end], self.offset, most)
        if lines.end == self.offset + end:
            self._exhausted = self.offset + len(chunk)
        self.offset = self._searched = lines.end
        return lines

    def _long_line(self, end: int) -> Lines:
        """A line that ends here, and whose beginning was searched in vain."""
        start, length = self.offset, end - self.offset
        body = self._read(start, length) if length <= LONGEST else shortened(self._read(start, CHUNK), length)
        self.offset = self._searched = self._exhausted = end + 1
        return one_line(body, start, self.offset)

    def _read(self, at: int, length: int) -> bytes:
        self._file.seek(at)
        pieces = []
        while length > 0 and (piece := self._file.read(length)):
            pieces.append(piece)
            length -= len(piece)
        return b"".join(pieces)

    def _size_at(self, path: str) -> int:
        """The size of a file that is not open; that of another file that has taken its path is none of its business."""
        try:
            status = Path(path).stat()
        except FileNotFoundError:
            return self._size
        return status.st_size if status.st_ino == self.identity.inode else self._size

    def moved(self, path: str) -> None:
        """The file has this path now."""
        self._path = path

    def close(self) -> None:
        """Let go of the file. It is opened again when there is more to read."""
        if self._held is not None:
            self._held.close()
            self._held = None
