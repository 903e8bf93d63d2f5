"""DuckDB's errors, mapped to Sagacity's in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from sagacity.errors import LedgerError, MemoryLimitError, SagacityError, SourceError

__all__ = ["FULL", "judging", "reading"]

_MEMORY = "give it more with --memory, or make room in the folder for temporary files (TMPDIR)"
_DISK = "make room in the folder for temporary files, or name another one in the environment variable TMPDIR"
FULL = (
    "No space left on device", "Disk quota exceeded", "File too large", "max_temp_directory_size",
    "failed to offload data block",
)  # fmt: skip
"""What the database's errors say where a disk is full."""


@contextmanager
def judging() -> Iterator[None]:
    """Work on what has been taken in: whatever fails is the ledger's affair. Raises LedgerError."""
    try:
        yield
    except duckdb.Error as error:
        raise _ours(error) or LedgerError(f"the ledger could not do its work: {_first_line(error)}") from error


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Reading an input, called `name` in messages. Raises SourceError, and LedgerError where memory or disk ran out."""
    try:
        yield
    except duckdb.Error as error:
        raise _ours(error) or _unreadable(name, error) from error


def _ours(error: duckdb.Error) -> SagacityError | None:
    text = str(error)
    if isinstance(error, duckdb.OutOfMemoryException):
        full = any(sign in text for sign in FULL)
        return (
            LedgerError("the disk for temporary files is full", hint=_DISK)
            if full
            else MemoryLimitError("the memory limit was reached", hint=_MEMORY)
        )
    if isinstance(error, duckdb.IOException) and any(sign in text for sign in FULL):
        return LedgerError("the disk for temporary files is full", hint=_DISK)
    if isinstance(error, duckdb.InterruptException):
        return LedgerError("interrupted")
    if isinstance(error, duckdb.ConnectionException):
        return LedgerError(f"the ledger is closed: {_first_line(error)}")
    return None


_CUT = "is not a Parquet file, or one that was cut short"
_SIGNS: tuple[tuple[str, str, str | None], ...] = (
    ("No magic bytes found at end", _CUT, "write it again, and copy it whole"),
    ("too small to be a Parquet", _CUT, "write it again, and copy it whole"),
    ("GZIP stream", "the compressed data is damaged or cut short", "fetch the file again, and check it with gzip -t"),
    ("gzip", "the compressed data is damaged or cut short", "fetch the file again, and check it with gzip -t"),
    ("ZSTD", "the compressed data is damaged or cut short", "fetch the file again, and check it with zstd -t"),
    ("No files found", "there is no such file", None),
    ("Permission denied", "the file may not be read", "check its permissions"),
    ("don't know what type", "is a damaged Parquet file", "write it again"),
)  # fmt: skip


def _unreadable(name: str, error: duckdb.Error) -> SourceError:
    text = str(error)
    for sign, message, hint in _SIGNS:
        if sign.lower() in text.lower():
            return SourceError(f"{name}: {message}", hint=hint)
    return SourceError(f"{name}: cannot be read: {_first_line(error)}")


def _first_line(error: duckdb.Error) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
