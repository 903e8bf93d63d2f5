"""An embedded database of one check: in memory, with a private folder for what does not fit."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from sagacity.errors import LedgerError, UsageError
from sagacity.ledger.port import Progress

__all__ = ["DEFAULT_MEMORY", "connect", "discard", "folder_of", "memory_limit", "watched"]

DEFAULT_MEMORY = "1GB"
"""Enough for ten million events without spilling much, and little enough that the process stays below 1.5 GB."""

_MEMORY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)\s*", re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_LEAST_MEMORY = 64 * 10**6
_TICK = 0.2


def connect(
    *, memory: str | None = None, threads: int | None = None, folder: str | None = None
) -> duckdb.DuckDBPyConnection:
    """A new database in memory.

    `memory` limits what it holds there (`1GB`, `512MiB`; the process takes some 200 MB more), `threads` how many
    processors it uses (all), `folder` is where it puts what does not fit (the system's folder for temporary files), in a
    folder of its own that only this user can read. `discard` removes that folder, and so does the end of the process.
    The session's time zone is UTC; no extension is ever fetched. Rows may come in any order (`preserve_insertion_order`
    is off). Raises UsageError for settings that make no sense, LedgerError where there is no room.
    """
    limit = memory_limit(memory)
    if threads is not None and threads < 1:
        raise UsageError(f"{threads} threads cannot do any work", hint="at least 1, or leave it out for all processors")
    try:
        spill = tempfile.mkdtemp(prefix="sagacity-", dir=folder)
    except OSError as error:
        raise LedgerError(
            f"no folder for temporary files can be made: {error.strerror or error}", hint="name one in TMPDIR"
        ) from error
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{limit}B",
        "temp_directory": os.path.join(spill, "spill"),  # noqa: PTH118
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
    }
    if threads is not None:
        settings["threads"] = threads
    try:
        connection = duckdb.connect(":memory:", config=settings)
    except duckdb.Error as error:
        shutil.rmtree(spill, ignore_errors=True)
        raise LedgerError(f"the ledger could not be opened: {str(error).splitlines()[0]}") from error
    _FOLDERS[connection] = (spill, weakref.finalize(connection, shutil.rmtree, spill, ignore_errors=True))
    connection.execute(
        "SET TimeZone = 'UTC'; SET enable_progress_bar_print = false"
    )  # the engine would write to standard output
    return connection


def discard(connection: duckdb.DuckDBPyConnection) -> None:
    """Close the database, and remove what it kept on disk. May be called more than once."""
    connection.close()
    if (kept := _FOLDERS.get(connection)) is not None:
        kept[1]()


def folder_of(connection: duckdb.DuckDBPyConnection) -> Path:
    """The private folder of a database, for files that are needed as long as it is."""
    if connection not in _FOLDERS:
        folder = tempfile.mkdtemp(prefix="sagacity-")
        _FOLDERS[connection] = (folder, weakref.finalize(connection, shutil.rmtree, folder, ignore_errors=True))
    return Path(_FOLDERS[connection][0])


@contextmanager
def watched(
    connection: duckdb.DuckDBPyConnection, progress: Progress | None, what: str, start: float = 0.0, end: float = 1.0
) -> Iterator[None]:
    """Report the progress of the queries within, as shares between `start` and `end`, from a thread of its own."""
    if progress is None:
        yield
        return
    progress(what, start)
    done = threading.Event()

    def look() -> None:
        reached = start
        while not done.wait(_TICK):
            share = min(max(connection.query_progress() / 100, 0.0), 1.0)
            reached = max(reached, start + (end - start) * share)
            progress(what, reached)

    connection.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
    thread = threading.Thread(target=look, name="sagacity-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    progress(what, end)


_Kept = tuple[str, "weakref.finalize[..., duckdb.DuckDBPyConnection]"]
_FOLDERS: weakref.WeakKeyDictionary[duckdb.DuckDBPyConnection, _Kept] = weakref.WeakKeyDictionary()


def memory_limit(given: str | None) -> int:
    """An amount of memory in bytes, the default where none is given. Raises UsageError."""
    text = given or DEFAULT_MEMORY
    found = _MEMORY.fullmatch(text)
    if found is None:
        raise UsageError(f"'{text}' is not an amount of memory", hint="such as 1GB, 512MB or 2GiB")
    size = int(float(found[1]) * _UNITS[found[2].lower().removesuffix("b")])
    if size < _LEAST_MEMORY:
        raise UsageError(f"{text} of memory is too little", hint="at least 64MB; 1GB is the default")
    return size
