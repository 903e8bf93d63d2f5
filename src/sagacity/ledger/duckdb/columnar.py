"""Parquet files, and tables that are in memory already: typed columns, read as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

import duckdb
import msgspec

from sagacity.errors import SourceError, UsageError
from sagacity.ledger.duckdb.failures import reading
from sagacity.ledger.duckdb.fields import Field, form_of, identifier, literal, pointer
from sagacity.ledger.duckdb.jsonl import glob_free
from sagacity.ledger.duckdb.scan import Part
from sagacity.sources.inputs import Files, Table
from sagacity.workflow.conditions.record import Path

__all__ = ["Columns", "fields_of", "parquet_parts", "table_parts"]

_SHOWN = 12


class Columns(msgspec.Struct, frozen=True):
    """The columns of a part with their types, those of the whole input, and what messages call the input."""

    here: Mapping[str, str]
    anywhere: Mapping[str, str]
    given: str


def parquet_parts(connection: duckdb.DuckDBPyConnection, name: str, given: Files, paths: Sequence[Path]) -> list[Part]:
    """A part for each set of files whose columns are alike. Raises SourceError."""
    schemas: dict[tuple[tuple[str, str], ...], list[int]] = {}
    first_row: list[int] = []
    rows = 0
    for number, path in enumerate(given.paths):
        with reading(given.name(number)):
            source = f"read_parquet({literal(glob_free(path))})"
            described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
            counted = connection.execute(
                f"SELECT sum(num_rows) FROM parquet_file_metadata({literal(glob_free(path))})"
            ).fetchone()
        schemas.setdefault(tuple((column, kind) for column, kind, *_ in described), []).append(number)
        first_row.append(rows)
        rows += int(counted[0] or 0) if counted else 0
    anywhere = {column: kind for schema in schemas for column, kind in schema}
    found = []
    for schema, numbers in schemas.items():
        files = [(given.paths[number], given.name(number)) for number in numbers]
        listed = ", ".join(literal(glob_free(path)) for path, _ in files)
        relation = f"read_parquet([{listed}])"
        columns = Columns(dict(schema), anywhere, given.given or files[0][1])
        fields, _ = fields_of(connection, relation, columns, paths, certain=_certain(connection, listed))
        starts = " ".join(f"WHEN {place} THEN {first_row[number]}" for place, number in enumerate(numbers))
        offset = f"CASE file_index {starts} END" if len(numbers) > 1 else str(first_row[numbers[0]])
        found.append(
            Part(
                name=name,
                relation=relation,
                fields=fields,
                files=files,
                format="parquet",
                row=f"({offset} + file_row_number)",
                file="file_index",
                file_row="file_row_number",
            )
        )
    return found


def _certain(connection: duckdb.DuckDBPyConnection, listed: str) -> set[str]:
    """The columns of which the files' own statistics say that no value is absent, and no text empty."""
    found = connection.execute(
        f"""SELECT path_in_schema FROM parquet_metadata([{listed}]) WHERE row_group_num_rows > 0 GROUP BY path_in_schema
        HAVING bool_and(coalesce(stats_null_count = 0 AND stats_min_value <> '', FALSE))"""
    ).fetchall()
    return {str(column) for (column,) in found}


def table_parts(
    connection: duckdb.DuckDBPyConnection, name: str, given: Table, paths: Sequence[Path], *, numbered: bool
) -> list[Part]:
    """The one part of a table in memory. Raises UsageError for what is no table."""
    relation = f"given {name}"
    try:
        connection.register(relation, given.data)
    except (duckdb.Error, TypeError) as error:
        kind = type(given.data).__name__
        raise UsageError(
            f"source '{name}' cannot be read from a {kind}", hint="give an Arrow table, a data frame, or paths"
        ) from error
    quoted = identifier(relation)
    with reading(given.given):
        described = connection.execute(f"DESCRIBE {quoted}").fetchall()
        if numbered or type(given.data).__name__ == "RecordBatchReader":
            columns = ", ".join(identifier(column) for column, *_ in described)
            numbers = f'SELECT {columns}, row_number() OVER () - 1 AS "$row" FROM {quoted}'
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(relation + ' kept')} AS {numbers}")
            quoted = identifier(relation + " kept")
    known = {column: kind for column, kind, *_ in described}
    fields, _ = fields_of(connection, quoted, Columns(known, known, given.given), paths)
    row = '"$row"' if quoted.endswith(' kept"') else None
    return [
        Part(name=name, relation=quoted, fields=fields, files=[("", given.given)], format="table", row=row, file_row=row)
    ]


def fields_of(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Columns,
    paths: Sequence[Path],
    *,
    certain: Collection[str] = (),
) -> tuple[dict[Path, Field], list[str]]:
    """The field of each path, and the columns that they need. `certain`: columns with a value in every record.

    Raises SourceError where no column begins a path.
    """
    fields: dict[Path, Field] = {}
    needed: dict[str, None] = {}
    for path in paths:
        column, rest = _column(path, columns)
        if column not in columns.here:
            fields[path] = Field("NULL", "absent")
            continue
        needed[column] = None
        field = msgspec.structs.replace(form_of(identifier(column), columns.here[column]), certain=column in certain)
        fields[path] = _within(connection, relation, field, columns.here[column], rest)
    return fields, list(needed)


def _column(path: Path, columns: Columns) -> tuple[str, tuple[str | int, ...]]:
    """The column that a path begins with: its first name, or the first names joined by dots (flattened records)."""
    names = [step for step in path.steps if isinstance(step, str)]
    for length in range(1, len(names) + 1):
        column = ".".join(names[:length])
        if path.steps[:length] == tuple(names[:length]) and column in columns.anywhere:
            return column, path.steps[length:]
    first = str(path.steps[0])
    folded = {column.casefold(): column for column in columns.anywhere}
    close = get_close_matches(first.casefold(), folded, n=1, cutoff=0.6)
    listed = ", ".join(list(columns.anywhere)[:_SHOWN]) + (", ..." if len(columns.anywhere) > _SHOWN else "")
    hint = f"did you mean {folded[close[0]]}? there is {listed}" if close else f"there is {listed}"
    raise SourceError(f"{columns.given}: there is no column '{first}'", hint=hint if columns.anywhere else None)


def _within(
    connection: duckdb.DuckDBPyConnection, relation: str, field: Field, kind: str, rest: tuple[str | int, ...]
) -> Field:
    """The field at the end of a path that leads into a column: through structs, lists and maps, or a JSON text."""
    if not rest:
        return field
    if field.form == "text" or kind == "JSON":
        document = f"CASE WHEN json_valid({field.sql}) THEN {field.sql} END" if kind != "JSON" else field.document
        place = pointer(rest)
        return Field(f"json_extract_string({document}, {literal(place)})", "json", document=document, place=place)
    if field.form != "nested":
        return Field("NULL", "absent")
    sql = _step(field.sql, kind, rest[0])
    if sql is None:
        return Field("NULL", "absent")
    try:
        described = connection.execute(f"DESCRIBE SELECT {sql} AS inner FROM {relation}").fetchone()
    except duckdb.BinderException:
        return Field("NULL", "absent")
    inner = str(described[1]) if described else '"NULL"'
    return _within(connection, relation, form_of(sql, inner), inner, rest[1:])


def _step(sql: str, kind: str, step: str | int) -> str | None:
    if isinstance(step, int):
        return f"{sql}[{step + 1}]" if kind.endswith("]") else None
    if kind.endswith("]"):
        return None
    return f"{sql}[{literal(step)}]" if kind.startswith("MAP(") else f"struct_extract({sql}, {literal(step)})"
