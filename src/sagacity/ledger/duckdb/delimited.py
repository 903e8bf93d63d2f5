"""CSV: a header, and text in every column. The header and its delimiter are read here, the rest by DuckDB.

What DuckDB cannot make out of a file (mixed line ends) Python's reader copies into a plain form first; see `careful`.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path as FilePath

import duckdb
import msgspec

from sagacity.errors import SourceError
from sagacity.ledger.duckdb.careful import new_file, plain_rows
from sagacity.ledger.duckdb.columnar import Columns, fields_of
from sagacity.ledger.duckdb.failures import reading
from sagacity.ledger.duckdb.fields import Field, identifier, literal
from sagacity.ledger.duckdb.jsonl import glob_free
from sagacity.ledger.duckdb.scan import Located, Part
from sagacity.sources.inputs import Compression, Files
from sagacity.workflow.conditions.record import Path

__all__ = ["LONGEST_ROW", "Layout", "layout_of", "parts", "reader"]

LONGEST_ROW = 2 * 2**20
"""A row of more bytes than this is taken for damage, such as a quote that is never closed."""

_LONGEST_HEADER = 2**20
_DELIMITERS = (",", ";", "\t", "|")


class Layout(msgspec.Struct, frozen=True):
    """How a file is written: its columns, and what stands between values."""

    columns: tuple[str, ...]
    delimiter: str


def parts(connection: duckdb.DuckDBPyConnection, name: str, given: Files, paths: Sequence[Path]) -> list[Part]:
    """A part for each run of files of one layout and compression. Raises SourceError where no file has a column."""
    layouts = [
        layout_of(connection, (path, given.name(number)), compression)
        for number, (path, compression) in enumerate(zip(given.paths, given.compression, strict=True))
    ]
    known = {column: "VARCHAR" for layout in layouts for column in layout.columns}
    found: list[Part] = []
    for (layout, compression), run in groupby(
        range(len(layouts)), lambda number: (layouts[number], given.compression[number])
    ):
        files = [(given.paths[number], given.name(number)) for number in run]
        columns = Columns(dict.fromkeys(layout.columns, "VARCHAR"), known, given.given or files[0][1])
        fields, needed = fields_of(connection, "", columns, paths)
        found.append(_part(f"{name} {len(found)}", name, files, layout, compression, fields, needed))
    return found


def _part(
    label: str,
    name: str,
    files: Sequence[Located],
    layout: Layout,
    compression: Compression,
    fields: Mapping[Path, Field],
    needed: Sequence[str],
) -> Part:
    rejects = f"rejected_{zlib.crc32(label.encode())}"  # a plain word: DuckDB takes no other

    def careful(folder: FilePath) -> Part:
        copies: list[Located] = []
        for path, shown in files:
            target = new_file(folder, ".csv")
            plain_rows(path, compression, shown, target, layout.delimiter)
            copies.append((str(target), shown))
        return _part(label, name, copies, layout, "none", fields, needed)

    return Part(
        name=name,
        relation=reader(files, layout, compression, needed, rejects),
        fields=fields,
        files=files,
        format="csv",
        compression=compression,
        costly=True,
        rejects=rejects,
        delimiter=layout.delimiter,
        careful=careful,
    )


def reader(files: Sequence[Located], layout: Layout, compression: Compression, needed: Sequence[str], rejects: str) -> str:
    """SQL of the rows of some files; those that are not sound go to the table `rejects`."""
    listed = ", ".join(literal(glob_free(path)) for path, _ in files)
    columns = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in layout.columns)
    packed = "uncompressed" if compression == "none" else compression
    settings = (
        f"columns = {{{columns}}}, header = true, auto_detect = false, delim = {literal(layout.delimiter)}, quote = '\"', "
        f"escape = '\"', nullstr = '', strict_mode = true, store_rejects = true, "
        f"rejects_table = {literal(rejects)}, rejects_scan = {literal(rejects + '_scan')}, rejects_limit = 0, "
        f"max_line_size = {LONGEST_ROW}, compression = {literal(packed)}"
    )
    picked = ", ".join(identifier(column) for column in needed) or "NULL AS nothing"
    return f"(SELECT {picked} FROM read_csv([{listed}], {settings}))"


def layout_of(connection: duckdb.DuckDBPyConnection, file: Located, compression: Compression) -> Layout:
    """The layout of a file, by its first line."""
    line = _first_line(connection, file, compression)
    header = line.rstrip("\r\n")
    outside = _outside_quotes(header)
    delimiter = max(_DELIMITERS, key=outside.count)
    names = next(csv.reader([header], delimiter=delimiter, strict=False), [])
    columns: list[str] = []
    for place, name in enumerate(names, start=1):
        plain = name.strip() or f"column{place}"
        if plain.casefold() in map(str.casefold, columns):
            raise SourceError(f"{file[1]}:1: the column '{plain}' stands there twice", hint="give each column its own name")
        columns.append(plain)
    return Layout(tuple(columns), delimiter)


def _outside_quotes(text: str) -> str:
    return "".join(piece for place, piece in enumerate(text.split('"')) if place % 2 == 0)


def _first_line(connection: duckdb.DuckDBPyConnection, file: Located, compression: Compression) -> str:
    path, shown = file
    if compression == "zstd":
        start = _start_of_zstd(connection, file)
    else:
        try:
            with gzip.open(path, "rb") if compression == "gzip" else open(path, "rb") as stream:  # noqa: PTH123
                start = stream.read(_LONGEST_HEADER)
        except (OSError, EOFError) as error:
            raise SourceError(f"{shown}: cannot be read: {error}", hint="fetch the file again") from error
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise SourceError(f"{shown}: is UTF-16 text", hint="write it as UTF-8, such as with iconv -t UTF-8")
    start = start.removeprefix(b"\xef\xbb\xbf")
    lines = _header_lines(start)
    try:
        return lines.decode()
    except UnicodeDecodeError as error:
        raise SourceError(f"{shown}:1: the header is not UTF-8 text", hint="write the file as UTF-8") from error


def _header_lines(start: bytes) -> bytes:
    """The first line; more than one where a quoted name holds a line end."""
    taken = b""
    for line in start.splitlines(keepends=True):
        taken += line
        if taken.count(b'"') % 2 == 0:
            break
    return taken


def _start_of_zstd(connection: duckdb.DuckDBPyConnection, file: Located) -> bytes:
    query = (
        f"SELECT line FROM read_csv({literal(glob_free(file[0]))}, columns = {{'line': 'VARCHAR'}}, header = false, "
        f"auto_detect = false, delim = '\\x01', quote = '', escape = '', compression = 'zstd', ignore_errors = true) LIMIT 1"
    )
    with reading(file[1]):
        found = connection.execute(query).fetchone()
    return (found[0] if found and found[0] else "").encode() + b"\n"
