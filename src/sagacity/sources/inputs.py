"""What a caller gives for a source of a workflow: files, or a table that is already in memory."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

__all__ = ["Compression", "Files", "Format", "Input", "Table"]

Format: TypeAlias = Literal["jsonl", "csv", "parquet", "xes"]
Compression: TypeAlias = Literal["none", "gzip", "zstd"]


class Files(msgspec.Struct, frozen=True):
    """Files of one format, in the order in which they are read. `compression` is that of each file, in step.

    Paths are literal: a `*` or `[` in one is part of a name. CSV may be separated by anything, a tab included.
    `given` is what the caller wrote (a glob, a folder, `-`), for messages. `names` are what messages call the files, in
    step, where that is not their paths: standard input lies in a temporary file that means nothing to a reader.
    `held` keeps alive what the files need to exist (a `Spool`); readers leave it alone.
    """

    paths: tuple[str, ...]
    format: Format
    compression: tuple[Compression, ...]
    given: str = ""
    names: tuple[str, ...] = ()
    held: Any = None

    def name(self, number: int) -> str:
        """What messages call the file at this place, counted from 0."""
        return self.names[number] if self.names else self.paths[number]


class Table(msgspec.Struct, frozen=True):
    """An Arrow table, a data frame, or anything else with the Arrow C stream or data frame interface."""

    data: Any
    given: str = "table"


Input: TypeAlias = Files | Table
