"""JSON lines: each record is parsed twice, once to know that it is sound, once for all the values that are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path as FilePath
from typing import TypeAlias

import duckdb
import msgspec

from sagacity.errors import SourceError
from sagacity.ledger.duckdb.careful import new_file, opened, plain_lines
from sagacity.ledger.duckdb.connection import folder_of
from sagacity.ledger.duckdb.fields import Field, literal, pointer
from sagacity.ledger.duckdb.scan import Located, Part
from sagacity.sources.inputs import Compression, Files
from sagacity.workflow.conditions.record import Path

__all__ = ["LONGEST_LINE", "Layout", "layout_of", "parts"]

LONGEST_LINE = 16 * 2**20
"""A record of more bytes than this is taken for damage."""

_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def parts(connection: duckdb.DuckDBPyConnection, name: str, given: Files, paths: Sequence[Path]) -> list[Part]:
    """A part for each run of files of one compression. Raises SourceError."""
    kinds = []
    for number, (path, compression) in enumerate(zip(given.paths, given.compression, strict=True)):
        kinds.append((compression, _needs_care(path, given.name(number), compression)))
    found = []
    for (compression, marked), run in groupby(range(len(kinds)), key=lambda number: kinds[number]):
        files = [(given.paths[number], given.name(number)) for number in run]
        part = _part(name, files, compression, paths)
        found.append(part.careful(folder_of(connection)) if marked and part.careful else part)
    return found


def _part(name: str, files: Sequence[Located], compression: Compression, paths: Sequence[Path]) -> Part:
    layout = layout_of(paths)
    fields = {path: Field(sql, "json", document="json", place=pointer(path.steps)) for path, sql in layout.fields.items()}

    def careful(folder: FilePath) -> Part:
        copies: list[Located] = []
        for path, shown in files:
            target = new_file(folder, ".jsonl")
            plain_lines(path, compression, shown, target, LONGEST_LINE)
            copies.append((str(target), shown))
        return _part(name, copies, "none", paths)

    return Part(
        name=name,
        relation=f"(SELECT {', '.join(['json', *layout.columns])} FROM {reader(files, compression)})",
        fields=fields,
        files=files,
        format="jsonl",
        compression=compression,
        malformed=f"(json IS NULL OR NOT starts_with(json, '{{') OR strlen(json) > {LONGEST_LINE})",
        costly=True,
        careful=careful,
    )


class Layout(msgspec.Struct, frozen=True):
    """How values are taken out of documents: columns over `json`, and for each path the SQL of its value in them."""

    columns: tuple[str, ...]
    fields: Mapping[Path, str]


_Tree: TypeAlias = dict[str, "_Tree | None"]


def layout_of(paths: Sequence[Path]) -> Layout:
    """Paths of plain names are taken in one go, as a struct, which is the faster way; the others as a list."""
    tree: _Tree = {}
    named = {path: sql for path in paths if (sql := _planted(tree, path)) is not None}
    others = [path for path in paths if path not in named]
    columns = [f"from_json(json, {literal(msgspec.json.encode(_structure(tree)).decode())}) AS v"] if named else []
    if others:
        places = ", ".join(literal(pointer(path.steps)) for path in others)
        columns.append(f"json_extract_string(json, [{places}]) AS w")
    return Layout(tuple(columns), named | {path: f"w[{place}]" for place, path in enumerate(others, start=1)})


def _planted(tree: _Tree, path: Path) -> str | None:
    """SQL of a path in the struct, to which it is added; None where the struct cannot hold it: positions, the document
    above or below another path, and names that differ in case alone, which a struct does not tell apart."""
    if not all(isinstance(step, str) and step for step in path.steps):
        return None
    branch, sql = tree, "v"
    for depth, step in enumerate(map(str, path.steps), start=1):
        last = depth == len(path.steps)
        if any(other != step and other.casefold() == step.casefold() for other in branch):
            return None
        if step in branch and (last or branch[step] is None):
            return None
        sql = f"struct_extract({sql}, {literal(step)})"
        if last:
            branch[step] = None
            return sql
        below = branch.setdefault(step, {})
        assert below is not None
        branch = below
    return None


def _structure(tree: _Tree) -> object:
    return {name: "VARCHAR" if below is None else _structure(below) for name, below in tree.items()}


def reader(files: Sequence[Located], compression: Compression) -> str:
    """SQL of the documents of some files, one a row; NULL for what is not JSON."""
    listed = ", ".join(literal(glob_free(path)) for path, _ in files)
    packed = "uncompressed" if compression == "none" else compression
    limit = f"maximum_object_size = {LONGEST_LINE}"
    return f"read_ndjson_objects([{listed}], ignore_errors = true, {limit}, compression = '{packed}')"


def glob_free(path: str) -> str:
    """A path in which DuckDB sees no pattern."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in path)


def _needs_care(path: str, shown: str, compression: Compression) -> bool:
    """Whether DuckDB would misread the file from the start: it stumbles over a byte order mark, and passes over a file of
    a single byte. Raises SourceError for text that is not UTF-8 at all."""
    if compression == "zstd":
        return False
    try:
        with opened(path, compression, shown) as stream:
            start = stream.read(3)
    except (OSError, EOFError) as error:
        raise SourceError(
            f"{shown}: the compressed data is damaged or cut short", hint="fetch the file again, and check it with gzip -t"
        ) from error
    if start[:2] in _MARKS:
        raise SourceError(f"{shown}: is {_MARKS[start[:2]]} text", hint="write it as UTF-8, such as with iconv -t UTF-8")
    return start == b"\xef\xbb\xbf" or len(start) == 1
