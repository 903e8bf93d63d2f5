"""The files of the archive: records in Parquet, a folder for each workflow and day.

A file is written under another name, made durable, and then given its own, all before the transaction that takes the records
out of the database. So at every instant a record is in the database or in a file that the database names. A file that it
does not name is what a crash left, and is removed at the next upkeep.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sagacity.errors import FullError, LedgerError
from sagacity.ledger.duckdb.fields import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["CARRIED", "FOLDER", "UNMATCHED", "Archive", "Unit", "day_start", "hashed", "safe_name"]

FOLDER = "archive"
UNMATCHED = "_unmatched"
"""The folder of records that belong to no event. No workflow's begins with an underscore."""

CARRIED = ("case_id", "n", "source", "part", "position", "arrived", "body", "correlation", "trace")
"""The columns of a file: a record that is part of two cases stands in it twice; `case_id` is NULL where there is no case."""

_ROWS = 8_192
"""Rows of a row group: as much as is read for one case."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]|^\.")
_OURS = re.compile(r"\d+\.parquet(\.part)?")
_LONGEST = 80


class Unit(msgspec.Struct, frozen=True):
    """What comes back as one: the records of a case in a file, or (without a case) the record of this number."""

    file: int
    case_id: str | None
    n: int | None


class Archive:
    """The archive in the folder of a ledger. `after` and `retain` in microseconds; None: never.

    A case goes `after` its end and its last event; its records are forgotten when the day of its last event lies `retain`
    back.
    """

    def __init__(self, folder: Path, *, after: int | None, retain: int | None) -> None:
        self.folder = folder / FOLDER
        self.after = after
        self.retain = retain

    def path(self, workflow: str | None, day: date, number: int) -> str:
        """Where a file of this number lies, within the folder. None: records of no workflow."""
        name = UNMATCHED if workflow is None else safe_name(workflow)
        return f"{name}/day={day.isoformat()}/{number}.parquet"

    def write(self, connection: DuckDBPyConnection, query: str, path: str) -> None:
        """Write what a query yields, durably. Raises FullError, and LedgerError where the file cannot be written."""
        final = self.folder / path
        temporary = final.with_name(final.name + ".part")
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(
                f"""COPY ({query}) TO {literal(str(temporary))}
                    (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS}, USE_TMP_FILE false)"""
            )
            _synchronise(temporary)
            temporary.replace(final)
            for folder in (final.parent, final.parent.parent, self.folder, self.folder.parent):
                _synchronise(folder)
        except OSError as error:
            _give_up(temporary)
            raise _not_written(final, error) from error
        except BaseException:
            _give_up(temporary)
            raise

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files that nothing names any more, and folders that are empty then. What stays is removed by `sweep`."""
        for path in paths:
            _give_up(self.folder / path)
            for folder in ((self.folder / path).parent, (self.folder / path).parent.parent):
                try:
                    folder.rmdir()
                except OSError:
                    break

    def sweep(self, connection: DuckDBPyConnection) -> None:
        """Remove the files that the ledger does not name: those that a crash left."""
        if not self.folder.is_dir():
            return
        named = {path for (path,) in connection.execute("SELECT path FROM archived_file").fetchall()}
        there = (
            file.relative_to(self.folder).as_posix() for file in self.folder.glob("*/day=*/*") if _OURS.fullmatch(file.name)
        )
        self.remove([path for path in there if path not in named])


def safe_name(workflow: str) -> str:
    """A workflow's name as that of a folder; where letters had to be replaced, told apart by what follows."""
    if len(workflow) <= _LONGEST and not _UNSAFE.search(workflow):
        return workflow
    mark = hashlib.sha256(workflow.encode()).hexdigest()[:8]
    return f"{_UNSAFE.sub('-', workflow)[:_LONGEST]}-{mark}"


def hashed(workflow: str, values: Sequence[str]) -> str:
    """SQL of the hash that values of a workflow are found by; the same in every version of the database."""
    parts = [literal(workflow), *(f"chr(31) || {value}" for value in values)]
    return f"md5_number_lower({' || '.join(parts)})"


def day_start(column: str) -> str:
    """SQL of the instant at which a day begins."""
    return f"epoch_us(CAST({column} AS TIMESTAMP))"


def _synchronise(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _give_up(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def _not_written(path: Path, error: OSError) -> LedgerError:
    if error.errno in _FULL:
        return FullError(f"the disk of the archive is full: {path}", hint="make room there; nothing is lost")
    return LedgerError(
        f"the archive's file {path} cannot be written: {error.strerror or error}",
        hint="check that the folder may be written to, or set no time after which cases are archived",
    )
