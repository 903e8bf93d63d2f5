"""A file that is compressed with gzip. Offsets are those of the decompressed text."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import BinaryIO

from sagacity.errors import SourceError
from sagacity.sources.follow.identity import Identity
from sagacity.sources.follow.lines import LONGEST, Lines, nothing, one_line, shortened, whole_lines
from sagacity.sources.follow.tail import CHUNK

__all__ = ["Packed", "unpacked_head"]

_GZIP = 31
_READ = 2**16


class Packed:
    """Reads complete lines of a file that is compressed, as far as it is there; what is still being written waits.

    A last line without its end counts once the file is complete. Several gzip members are one text.
    """

    def __init__(self, path: str, identity: Identity, offset: int) -> None:
        self.identity = identity
        self.offset = offset
        self._path = path
        self._file: BinaryIO = Path(path).open("rb")  # noqa: SIM115 - closed by `close`
        self._stream = _Stream(self._file)
        self._pass_over = offset
        self._rest = b""
        self._length = 0
        self._size = os.fstat(self._file.fileno()).st_size
        self._exhausted_at = -1
        self.open = True

    @property
    def waiting(self) -> bool:
        return self._exhausted_at < self._size or b"\n" in self._rest

    @property
    def lacks(self) -> str | None:
        """What is wrong with the file, where that may change."""
        unfinished = not self.waiting and not self._stream.complete
        return "it is not complete yet, and is read on when it grows" if unfinished else None

    def is_another(self) -> bool:
        """Whether the file was cut off: a compressed file is written once, and only grows until it is complete."""
        if not self.open:
            return False
        size = os.fstat(self._file.fileno()).st_size
        shorter = size < self._size
        self._size = size
        return shorter

    def read(self, most: int) -> Lines:
        """Records of the next chunk. Raises SourceError for what is no sound gzip."""
        if b"\n" not in self._rest:
            self._take()
        end = self._rest.rfind(b"\n") + 1
        if end == 0:
            return self._last() if self._stream.complete and self._exhausted_at == self._size else self._hold()
        if self._length or self._rest.find(b"\n") > LONGEST:
            return self._long_line(self._rest.find(b"\n"))
        lines = whole_lines(self._rest[:end], self.offset, most)
        self._rest = self._rest[lines.end - self.offset :]
        self.offset = lines.end
        return lines

    def _take(self) -> None:
        try:
            text = self._stream.read(CHUNK)
        except zlib.error as error:
            raise SourceError(f"{self._path} is no sound gzip file: {error}", hint="put a sound copy in its place") from None
        if not text:
            self._exhausted_at = self._size
        passed = min(self._pass_over, len(text))
        self._pass_over -= passed
        self._rest += text[passed:]

    def _hold(self) -> Lines:
        """No line ends yet. Of a line that is too long only the beginning is held."""
        if len(self._rest) > LONGEST + CHUNK:
            self._length += len(self._rest) - CHUNK
            self._rest = self._rest[:CHUNK]
        return nothing(self.offset)

    def _long_line(self, end: int) -> Lines:
        """A line of which only the beginning was held, and what came last."""
        start, length = self.offset, self._length + end
        body = shortened(self._rest[:CHUNK], length)
        self._rest = self._rest[end + 1 :]
        self._length = 0
        self.offset = start + length + 1
        return one_line(body, start, self.offset)

    def _last(self) -> Lines:
        """What stands after the last line's end of a complete file."""
        start, body = self.offset, self._rest
        if self._length:
            body, length = shortened(body, self._length + len(body)), self._length + len(body)
        else:
            length = len(body)
        self._rest, self._length = b"", 0
        self.offset = start + length
        return one_line(body, start, self.offset)

    def moved(self, path: str) -> None:
        """The file has this path now."""
        self._path = path

    def close(self) -> None:
        """Let go of the file. What is complete by then is not looked at again."""
        self.open = False
        self._file.close()


class _Stream:
    """The text of a gzip file, in pieces, as far as the file goes. It goes on where the file has grown."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpack = zlib.decompressobj(_GZIP)
        self._pending = b""
        self.complete = False
        """Whether the file ends where a member does."""

    def read(self, most: int) -> bytes:
        """Some of the text; empty where there is no more for now."""
        while True:
            if self._unpack.eof:
                self._pending = self._unpack.unused_data.lstrip(b"\0") or self._file.read(_READ).lstrip(b"\0")
                if not self._pending:
                    self.complete = True
                    return b""
                self._unpack = zlib.decompressobj(_GZIP)
            elif not self._pending:
                self._pending = self._file.read(_READ)
            if not self._pending:
                self.complete = False
                return b""
            text = self._unpack.decompress(self._pending, most)
            self._pending = self._unpack.unconsumed_tail
            if text:
                return text


def unpacked_head(path: str, length: int) -> tuple[bytes, bool]:
    """The first bytes of the text, and whether they are all of it. Raises SourceError for what is no sound gzip."""
    with Path(path).open("rb") as file:
        stream = _Stream(file)
        head = b""
        try:
            while len(head) < length and (piece := stream.read(length - len(head))):
                head += piece
        except zlib.error as error:
            raise SourceError(f"{path} is no sound gzip file: {error}", hint="put a sound copy in its place") from None
        return head, stream.complete
