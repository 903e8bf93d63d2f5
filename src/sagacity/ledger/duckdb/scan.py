"""A source's input as parts that can be scanned: one row a raw record, and of each record only what is asked for.

A part is a run of files that are read alike. `jsonl`, `delimited` and `columnar` make them; the rest of the intake knows
nothing of formats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import TypeAlias

import duckdb
import msgspec

from sagacity.errors import SourceError, UsageError
from sagacity.ledger.duckdb.fields import Field
from sagacity.sources.inputs import Compression, Files, Input, Table
from sagacity.workflow.conditions.record import Path

__all__ = ["Located", "Part", "parts_of"]

Located: TypeAlias = tuple[str, str]
"""A file: its path, and what messages call it."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Records that are read alike.

    `relation` is SQL with one row a record, in which the SQL of `fields` makes sense; a path without a field is absent.
    `malformed` is SQL that is true for a record that cannot be read at all. `row`, where the relation knows it, is SQL of
    the record's place in the whole source, counted from 0; `file` and `file_row` likewise the place of its file in
    `files`, and its own place there. Where it does not, records come in order. `carried` names columns that go along with
    the record. `costly`: reading takes long, so that it is done once. `rejects` names the table that holds, after a scan,
    what the reader could make no record of.

    `careful` makes the same part over copies in a folder, for when the reader gives up.
    """

    name: str
    relation: str
    fields: Mapping[Path, Field]
    files: Sequence[Located]
    format: str
    compression: Compression = "none"
    malformed: str | None = None
    row: str | None = None
    file: str | None = None
    file_row: str | None = None
    carried: Sequence[str] = ()
    costly: bool = False
    rejects: str | None = None
    delimiter: str = ","
    careful: Callable[[FilePath], Part] | None = None


def parts_of(
    connection: duckdb.DuckDBPyConnection, name: str, given: Input, paths: Sequence[Path], *, numbered: bool
) -> list[Part]:
    """The parts of an input, in order. `numbered`: the place of each record in the source is asked for.

    Raises SourceError where a file cannot be read, or none of its columns is the one that a path begins with.
    """
    from sagacity.ledger.duckdb import columnar, delimited, jsonl

    if isinstance(given, Table):
        return columnar.table_parts(connection, name, given, paths, numbered=numbered)
    readers = {"jsonl": jsonl.parts, "csv": delimited.parts, "parquet": columnar.parquet_parts}
    if given.format not in readers:
        raise UsageError(f"source '{name}': {given.format} is turned into records before it is taken in")
    filled = _without_empty(given)
    return readers[given.format](connection, name, filled, paths)


def _without_empty(given: Files) -> Files:
    """The files that hold anything: an empty file is a file without records, whatever its format."""
    kept: list[int] = []
    for number, path in enumerate(given.paths):
        try:
            if FilePath(path).stat().st_size:
                kept.append(number)
        except OSError as error:
            raise SourceError(f"{given.name(number)}: {error.strerror or error}") from error
    return Files(
        tuple(given.paths[number] for number in kept),
        given.format,
        tuple(given.compression[number] for number in kept),
        given=given.given,
        names=tuple(given.name(number) for number in kept),
        held=given.held,
    )
