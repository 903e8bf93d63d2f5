"""Reading the parts of a source: once, into a table, where reading is costly; in place where it is not."""

from __future__ import annotations

import duckdb
import msgspec

from sagacity.ledger.duckdb.accounts import Counts, count
from sagacity.ledger.duckdb.connection import folder_of
from sagacity.ledger.duckdb.failures import reading
from sagacity.ledger.duckdb.fields import identifier
from sagacity.ledger.duckdb.normalise import Normal, column, normal_of
from sagacity.ledger.duckdb.scan import Part
from sagacity.ledger.duckdb.shapes import Shape

__all__ = ["Taken", "row_of", "take_part"]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A part that has been read: `relation` holds its normal rows. `first_row` is the place in the source of its first."""

    normal: Normal
    relation: str
    counts: Counts
    first_row: int


def take_part(
    connection: duckdb.DuckDBPyConnection, shape: Shape, part: Part, *, table: str, first_row: int, cutoff: int
) -> Taken:
    """Read a part, and count its records. Raises SourceError."""
    shown = part.files[0][1] if len(part.files) == 1 else f"source '{part.name}'"
    normal = normal_of(shape, part)
    if part.costly:
        normal = _staged(connection, normal, table, shown)
        relation = identifier(table)
    else:
        relation = f"({normal.sql})"
    slots = range(len(shape.slots()))
    key = shape.keys[0] if len(shape.keys) == 1 else None
    if all(column(slot, f"key.{key}") in normal.certain for slot in slots):
        key = None  # no event lacks it: it need not be read to know that
    with reading(shown):
        counts = count(connection, relation, slots, key, cutoff)
        if (lost := _lost(connection, normal.part)) is not None:
            counts = counts.plus(Counts(records=lost, rejected=lost))
    return Taken(normal=normal, relation=relation, counts=counts, first_row=first_row)


def row_of(taken: Taken) -> str:
    """SQL of a record's place in its source, counted from 0."""
    return '"$row"' if taken.normal.part.row is not None else f"({taken.first_row} + rowid)"


def _staged(connection: duckdb.DuckDBPyConnection, normal: Normal, table: str, shown: str) -> Normal:
    """Fill the table; where the reader gives up, from careful copies."""
    try:
        _fill(connection, normal, table)
    except duckdb.InvalidInputException as error:
        if any(sign in str(error) for sign in ("GZIP", "ZSTD")):
            with reading(shown):
                raise
        if normal.part.careful is None:
            with reading(shown):
                raise
        normal = normal_of(normal.shape, normal.part.careful(folder_of(connection)))
        with reading(shown):
            _fill(connection, normal, table)
    except duckdb.Error:
        with reading(shown):
            raise
    return normal


def _fill(connection: duckdb.DuckDBPyConnection, normal: Normal, table: str) -> None:
    """Rows keep the order of their records, so that their place tells which record each comes from."""
    if normal.part.rejects is not None:
        for name in (normal.part.rejects, f"{normal.part.rejects}_scan"):
            connection.execute(f"DROP TABLE IF EXISTS {identifier(name)}")
    connection.execute("SET preserve_insertion_order = true")
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(table)} AS {normal.sql}")
    finally:
        connection.execute("SET preserve_insertion_order = false")


def _lost(connection: duckdb.DuckDBPyConnection, part: Part) -> int | None:
    if part.rejects is None:
        return None
    found = connection.execute(f"SELECT count(DISTINCT (file_id, line)) FROM {identifier(part.rejects)}").fetchone()
    return int(found[0]) if found else 0
