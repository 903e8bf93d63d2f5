"""Which fields raw records have, before anybody has said anything about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import msgspec

from sagacity.ledger.duckdb.delimited import layout_of as delimited_layout
from sagacity.ledger.duckdb.failures import reading
from sagacity.ledger.duckdb.fields import literal
from sagacity.ledger.duckdb.jsonl import glob_free, reader
from sagacity.sources.inputs import Files, Input, Table
from sagacity.workflow.conditions.record import Path

__all__ = ["SAMPLED", "paths_of"]

SAMPLED = 20_000
"""Records of which fields and their values are looked at."""

_MOST = 200
_DEEPEST = 6
_ODD = re.compile(r"[\x00-\x1f]")


def paths_of(connection: duckdb.DuckDBPyConnection, given: Input) -> list[Path]:
    """The ways to every plain value of a source's records, at most two hundred; lists are passed over."""
    if isinstance(given, Table):
        connection.register("looked at", given.data)
        found = list(_typed(connection, 'SELECT * FROM "looked at"'))
    else:
        found = _READERS[given.format](connection, given)
    return [path for path in dict.fromkeys(found) if not any(_ODD.search(str(step)) for step in path.steps)][:_MOST]


def _documents(connection: duckdb.DuckDBPyConnection, given: Files) -> list[Path]:
    merged: dict[str, Any] = {}
    for compression in dict.fromkeys(given.compression):
        files = [
            (path, given.name(number)) for number, path in enumerate(given.paths) if given.compression[number] == compression
        ]
        with reading(files[0][1]):
            row = connection.execute(
                f"""SELECT json_group_structure(json) FROM (SELECT json FROM {reader(files, compression)}
                    WHERE starts_with(json, '{{') USING SAMPLE reservoir({SAMPLED} ROWS) REPEATABLE (1))"""
            ).fetchone()
        if row and row[0]:
            structure = msgspec.json.decode(row[0])
            if isinstance(structure, dict):
                _merge(merged, structure)
    return list(_leaves(merged, ()))


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, below in more.items():
        held = into.setdefault(name, below)
        if isinstance(held, dict) and isinstance(below, dict):
            _merge(held, below)


def _leaves(structure: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[Path]:
    for name, below in structure.items():
        if not name:
            continue
        if isinstance(below, str):
            yield Path((*above, name))
        elif isinstance(below, dict) and len(above) < _DEEPEST:
            yield from _leaves(below, (*above, name))


def _columns(connection: duckdb.DuckDBPyConnection, given: Files) -> list[Path]:
    found: list[Path] = []
    for number, path in enumerate(given.paths):
        layout = delimited_layout(connection, (path, given.name(number)), given.compression[number])
        found += [Path((column,)) for column in layout.columns]
    return found


def _parquet(connection: duckdb.DuckDBPyConnection, given: Files) -> list[Path]:
    found: list[Path] = []
    for number, path in enumerate(given.paths):
        with reading(given.name(number)):
            found += _typed(connection, f"SELECT * FROM read_parquet({literal(glob_free(path))})")
    return found


def _typed(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[Path]:
    relation = connection.sql(query)
    for name, kind in zip(relation.columns, relation.types, strict=True):
        yield from _within(kind, (name,))


def _within(kind: Any, above: tuple[str, ...]) -> Iterator[Path]:
    if kind.id == "struct" and len(above) <= _DEEPEST:
        for name, below in kind.children:
            yield from _within(below, (*above, name))
    elif kind.id not in ("list", "map", "array", "union", "blob"):
        yield Path(above)


_READERS = {"jsonl": _documents, "csv": _columns, "parquet": _parquet}
