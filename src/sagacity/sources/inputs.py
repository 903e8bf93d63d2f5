"""What a caller gives for a source of a workflow: files, or a table that is already in memory."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

__all__ = ["Compression", "Files", "Format", "Input", "Table"]

Format: TypeAlias = Literal["jsonl", "csv", "parquet", "xes"]
Compression: TypeAlias = Literal["none", "gzip", "zstd"]


class Files(msgspec.Struct, frozen=True):
    """Files of one format, in the order in which they are read. `compression` is that of each file, in step.

    `given` is what the caller wrote (a glob, a folder, `-`), for messages.
    """

    paths: tuple[str, ...]
    format: Format
    compression: tuple[Compression, ...]
    given: str = ""


class Table(msgspec.Struct, frozen=True):
    """An Arrow table, a data frame, or anything else with the Arrow C stream or data frame interface."""

    data: Any
    given: str = "table"


Input: TypeAlias = Files | Table
