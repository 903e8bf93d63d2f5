"""The file of a live ledger: opened by one process, every failure said in words, and mended where it can be."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from sagacity.errors import FullError, LedgerError, SagacityError, UsageError
from sagacity.ledger.duckdb.connection import memory_limit
from sagacity.ledger.duckdb.failures import FULL, judging
from sagacity.ledger.duckdb.live.schema import SHARED, UPGRADES, VERSION
from sagacity.ledger.duckdb.readings import define
from sagacity.ledger.duckdb.rows import first_row

__all__ = ["Store"]

_CHECKPOINT = "256MB"
_OPEN: set[Path] = set()
_OPENING = threading.Lock()


class Store:
    """A database file in a folder, with the connection that writes.

    `memory` (such as `1GB`) limits what the database holds in memory. Raises LedgerError where another process has it
    open, where it was made by a later version, or where the folder cannot be written to.
    """

    def __init__(self, folder: Path, *, memory: str | None = None, threads: int | None = None) -> None:
        self.folder = folder
        self.file = folder / "ledger.duckdb"
        self._settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{memory_limit(memory)}B",
            "temp_directory": str(folder / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
            "wal_autocheckpoint": _CHECKPOINT,
        }
        if threads is not None:
            self._settings["threads"] = threads
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"the ledger's folder {folder} cannot be made: {error.strerror or error}") from error
        self._swapping = threading.Lock()
        self._broken = False
        with _OPENING:
            if self.file.resolve() in _OPEN:
                raise LedgerError(f"the ledger {folder} is open in this process already")
            self._connect()
            _OPEN.add(self.file.resolve())

    def close(self) -> None:
        with _OPENING:
            self.writer.close()
            _OPEN.discard(self.file.resolve())

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """What is done within is kept as a whole, or not at all. Raises FullError where the disk is full."""
        try:
            with judging():
                self._mend()
                self.writer.execute("BEGIN")
                yield self.writer
                self.writer.execute("COMMIT")
        except BaseException as error:
            self._give_up()
            if _is_full(error):
                raise FullError(
                    f"the disk of the ledger {self.folder} is full", hint="make room there; intake goes on by itself"
                ) from error
            raise

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for reading, from any thread: it sees the state after some transaction."""
        with judging():
            with self._swapping:
                cursor = self.writer.cursor()
            try:
                cursor.execute("SET enable_progress_bar_print = false; BEGIN TRANSACTION READ ONLY")
                yield cursor
            finally:
                cursor.close()

    def _connect(self) -> None:
        try:
            self.writer = duckdb.connect(str(self.file), config=self._settings)
        except duckdb.Error as error:
            raise _not_opened(self.folder, error) from error
        try:
            self.writer.execute("SET TimeZone = 'UTC'; SET enable_progress_bar_print = false")
            define(self.writer)
            self._prepare()
        except BaseException:
            self.writer.close()
            raise

    def _prepare(self) -> None:
        there = first_row(self.writer, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'ledger'")
        if not there or not there[0]:
            self.writer.execute("BEGIN")
            for statement in SHARED:
                self.writer.execute(statement)
            self.writer.execute("COMMIT")
        row = first_row(self.writer, "SELECT version FROM ledger")
        if row is None or row[0] > VERSION:
            raise LedgerError(
                f"the ledger {self.folder} was made by a later version of Sagacity",
                hint="use that version, or give another folder",
            )
        if row[0] < VERSION:
            self.writer.execute("BEGIN")
            for version in range(row[0] + 1, VERSION + 1):
                for statement in UPGRADES[version]:
                    self.writer.execute(statement)
            self.writer.execute(f"UPDATE ledger SET version = {VERSION}")
            self.writer.execute("COMMIT")

    def _give_up(self) -> None:
        """Roll back; where the database will have no more of it, open it anew: what was committed is there. Where that
        does not succeed, it is tried again before what comes next."""
        try:
            if not self._broken:
                self.writer.execute("ROLLBACK")
        except duckdb.Error as error:
            self._broken = "no transaction is active" not in str(error)
        with suppress(duckdb.Error, SagacityError):
            self._mend()

    def _mend(self) -> None:
        if self._broken:
            with self._swapping:
                self.writer.close()
                self._connect()
            self._broken = False


def _is_full(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if any(sign in str(seen) for sign in FULL):
            return True
        seen = seen.__cause__
    return False


def _not_opened(folder: Path, error: duckdb.Error) -> SagacityError:
    text = str(error)
    if "lock" in text.lower():
        holder = re.search(r"PID (\d+)", text)
        by = f" by process {holder[1]}" if holder else " by another process"
        return LedgerError(
            f"the ledger {folder} is held open{by}", hint="stop that one first, or give this one a folder of its own"
        )
    if any(sign in text for sign in FULL):
        return FullError(f"the disk of the ledger {folder} is full", hint="make room there")
    return LedgerError(f"the ledger {folder} could not be opened: {text.splitlines()[0]}")
