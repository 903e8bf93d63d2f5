"""Files of what another engine found: its rows come back, and DuckDB writes them as it writes its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from sagacity.ledger.duckdb.connection import connect, discard, folder_of
from sagacity.ledger.duckdb.failures import judging
from sagacity.ledger.duckdb.fields import identifier, literal
from sagacity.ledger.duckdb.files import write
from sagacity.ledger.engine import Kind, Row

__all__ = ["rewrite", "write_rows"]

_TYPES: Mapping[Kind, str] = {"text": "VARCHAR", "number": "BIGINT", "truth": "BOOLEAN", "instant": "BIGINT"}


def write_rows(rows: Iterable[Row], columns: Mapping[str, Kind], path: Path) -> None:
    """Write rows in their order, as `sagacity.ledger.duckdb.files.write` does."""
    connection = connect()
    try:
        kept = folder_of(connection) / "rows.jsonl"
        encoder = msgspec.json.Encoder()
        with kept.open("wb") as out:
            for row in rows:
                out.write(encoder.encode(dict(zip(columns, row, strict=True))) + b"\n")
        typed = ", ".join(f"{literal(name)}: '{_TYPES[kind]}'" for name, kind in columns.items())
        with judging():
            connection.execute("SET preserve_insertion_order = true")
        query = f"SELECT * FROM read_json({literal(str(kept))}, format = 'newline_delimited', columns = {{{typed}}})"
        write(connection, query, columns, path)
    finally:
        discard(connection)


def rewrite(parquet: Path, columns: Mapping[str, Kind], path: Path) -> None:
    """Write the rows of a Parquet file, in their order, as `sagacity.ledger.duckdb.files.write` does."""
    connection = connect()
    try:
        typed = ", ".join(
            f"CAST({identifier(name)} AS {_TYPES[kind]}) AS {identifier(name)}" for name, kind in columns.items()
        )
        with judging():
            connection.execute("SET preserve_insertion_order = true")
        write(connection, f"SELECT {typed} FROM read_parquet({literal(str(parquet))})", columns, path)
    finally:
        discard(connection)
