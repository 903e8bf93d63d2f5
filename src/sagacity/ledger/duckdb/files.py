"""Files of findings and cases: Parquet, CSV or JSON lines, by the ending of the name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sagacity.errors import LedgerError, UsageError
from sagacity.ledger.duckdb.failures import judging
from sagacity.ledger.duckdb.fields import identifier, literal
from sagacity.ledger.engine import Kind
from sagacity.workflow.trace import FOREVER

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["write"]

_FORMATS = {
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".csv": "FORMAT csv, HEADER",
    ".jsonl": "FORMAT json",
    ".ndjson": "FORMAT json",
}


def write(connection: DuckDBPyConnection, query: str, columns: Mapping[str, Kind], path: Path) -> None:
    """Write the rows of a query, in its order; instants become timestamps in UTC. Raises UsageError, LedgerError."""
    form = _FORMATS.get("".join(path.suffixes[-1:]).lower())
    if form is None:
        known = ", ".join(_FORMATS)
        raise UsageError(f"cannot tell the format of {path} from its name", hint=f"end it with one of {known}")
    partial = path if path.exists() and not path.is_file() else path.with_name(f".{path.name}.{os.getpid()}")
    if not os.access(path.parent, os.W_OK):
        reason = "permission denied" if path.parent.is_dir() else f"there is no folder {path.parent}"
        raise UsageError(f"cannot write {path}: {reason}", hint="name a file in a folder that exists and may be written to")
    told = ", ".join(_stamp(name) if kind == "instant" else identifier(name) for name, kind in columns.items())
    try:
        with judging():
            connection.execute(f"COPY (SELECT {told} FROM ({query})) TO {literal(str(partial))} ({form})")
        partial.replace(path)  # so that nobody ever reads half a file
    except LedgerError as error:
        raise LedgerError(f"cannot write {path}: {error.message}", hint=error.hint) from error
    finally:
        if partial != path:
            partial.unlink(missing_ok=True)


def _stamp(column: str) -> str:
    """A timestamp in UTC for people's tools; NULL where the instant is the end of the log."""
    name = identifier(column)
    return f"CASE WHEN {name} < {FOREVER} THEN make_timestamptz({name}) END AS {name}"
