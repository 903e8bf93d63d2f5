"""The careful way through a file that DuckDB's reader gives up on: a copy, line for line, that it can read.

Lines stay where they are, so that a line's number in the copy is that in the file; what cannot be kept is replaced by a
line that says so and is no record. Memory for one block, whatever the size of a line.
"""

from __future__ import annotations

import csv
import gzip
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sagacity.errors import SourceError
from sagacity.sources.inputs import Compression

__all__ = ["TOO_LONG", "lines_of", "new_file", "opened", "plain_lines", "plain_rows"]

TOO_LONG = b"!too long: "
"""Begins a line that stands for one that was too long; its length in bytes follows."""

_BLOCK = 1 << 20
_MARK = b"\xef\xbb\xbf"


def new_file(folder: Path, suffix: str) -> Path:
    """A new empty file."""
    handle, name = tempfile.mkstemp(suffix=suffix, dir=folder)
    os.close(handle)
    return Path(name)


def opened(path: str, compression: Compression, shown: str) -> BinaryIO:
    """A file as the bytes that it holds. Raises SourceError."""
    try:
        if compression == "gzip":
            return gzip.open(path, "rb")  # type: ignore[return-value]
        if compression == "zstd":
            return _zstd(path, shown)
        return Path(path).open("rb")
    except OSError as error:
        raise SourceError(f"{shown}: {error.strerror or error}") from error


def _zstd(path: str, shown: str) -> BinaryIO:
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.open(path, "rb")  # type: ignore[no-any-return]
    raise SourceError(f"{shown}: holds a line that cannot be read", hint="unpack the file with zstd -d, and give it plain")


def lines_of(stream: BinaryIO, longest: int) -> Iterator[bytes]:
    """The lines of a stream without their ends; one longer than `longest` as `TOO_LONG` and its length."""
    rest, size = b"", 0
    while block := stream.read(_BLOCK):
        pieces = block.split(b"\n")
        for piece in pieces[:-1]:
            size += len(piece)
            yield rest + piece if size <= longest else TOO_LONG + str(size).encode()
            rest, size = b"", 0
        size += len(pieces[-1])
        rest = rest + pieces[-1] if size <= longest else b""
    if size:
        yield rest if size <= longest else TOO_LONG + str(size).encode()


def plain_lines(path: str, compression: Compression, shown: str, target: Path, longest: int) -> None:
    """Copy a file of lines: unpacked, without a byte order mark, and without its over-long lines. Raises SourceError."""
    try:
        with opened(path, compression, shown) as stream, target.open("wb") as out:
            for number, line in enumerate(lines_of(stream, longest)):
                out.write((line.removeprefix(_MARK) if number == 0 else line) + b"\n")
    except (OSError, EOFError) as error:
        raise SourceError(
            f"{shown}: cannot be read to its end: {error}", hint="fetch the file again, and see that the disk has room"
        ) from error


def plain_rows(path: str, compression: Compression, shown: str, target: Path, delimiter: str) -> None:
    """Copy a CSV file in one form of line ends and quotes. Raises SourceError."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        with opened(path, compression, shown) as stream, target.open("w", encoding="utf-8", newline="") as out:
            text = (line.decode("utf-8", "surrogateescape") + "\n" for line in lines_of(stream, sys.maxsize))
            writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
            for number, row in enumerate(csv.reader(text, delimiter=delimiter)):
                if number == 0 and row:
                    row[0] = row[0].removeprefix("\ufeff")
                writer.writerow(row)
    except (OSError, EOFError, csv.Error, UnicodeEncodeError) as error:
        raise SourceError(
            f"{shown}: cannot be read to its end: {error}", hint="write it anew with one form of line ends"
        ) from error
    finally:
        csv.field_size_limit(limit)
