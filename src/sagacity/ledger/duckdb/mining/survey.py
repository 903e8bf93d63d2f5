"""A look at raw records: their fields, the types they are of, and which fields could be a correlation key."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import duckdb
from msgspec.structs import replace

from sagacity.ledger.duckdb.failures import reading
from sagacity.ledger.duckdb.fields import identifier
from sagacity.ledger.duckdb.mining.fields import SAMPLED, paths_of
from sagacity.ledger.duckdb.readings import EARLIEST, LATEST, define, read_text
from sagacity.ledger.duckdb.scan import Part, parts_of
from sagacity.ledger.mining import Census, FieldSeen, KeySeen, Link, Sample, Shared
from sagacity.sources.inputs import Files, Input
from sagacity.workflow.conditions.record import Path, parse_record

__all__ = ["Looked", "census", "keys", "shared", "types", "unreadable"]

_NUMBER = r"-?\d{1,14}(\.\d{1,17})?"
"""Decimals, and binary floats as they are printed; what of them is noise, the ledger's reading tells."""

_WHOLE = r"-?(0|[1-9]\d{0,15})"
_TYPES = 30
_KEYS = 12
_MAKERS = 8


class Looked:
    """A source that was looked at: the table that holds the sample, and the column of each path."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, source: str, given: Input) -> None:
        self.connection = connection
        self.source = source
        self.table = identifier(f"{source} looked at")
        self.paths = paths_of(connection, given)
        define(connection)
        self.records = 0
        self._fields: list[FieldSeen | None] | None = None
        if self.paths:
            relation = _values(connection, source, given, self.paths, SAMPLED)
            with reading(source):
                connection.execute(f"CREATE OR REPLACE TEMP TABLE {self.table} AS {relation}")
                self.records = _number(connection, f"SELECT count(*) FROM {self.table}")

    def sample(self, type_path: str | None) -> Sample:
        """See `sagacity.ledger.mining.Mining.sample`."""
        if not self.paths:
            return Sample(0, ())
        typed = parse_record(type_path) if type_path is not None else None
        kind = f"v{self.paths.index(typed)}" if isinstance(typed, Path) and typed in self.paths else None
        with reading(self.source):
            if self._fields is None:
                self._fields = [_seen(self.connection, self.table, f"v{n}", path) for n, path in enumerate(self.paths)]
            seen = [
                replace(each, by_type=_by_type(self.connection, self.table, f"v{n}", kind))
                for n, each in enumerate(self._fields)
                if each is not None
            ]
        return Sample(self.records, tuple(seen))


def _by_type(connection: duckdb.DuckDBPyConnection, table: str, name: str, kind: str | None) -> dict[str, int]:
    """How many records of each type have a field; of the type's own field, and before the types are known, nothing."""
    if kind is None or kind == name:
        return {}
    query = f"SELECT {kind}, count({name}) FROM {table} WHERE {kind} IS NOT NULL GROUP BY 1 HAVING count({name}) > 0"
    return {str(of): int(n) for of, n in connection.execute(query).fetchall()}


def _seen(connection: duckdb.DuckDBPyConnection, table: str, name: str, path: Path) -> FieldSeen | None:
    row = connection.execute(
        f"""SELECT count(v)::BIGINT, count(*)::BIGINT, sum(n) FILTER (regexp_full_match(v, '{_WHOLE}')),
            sum(n) FILTER (regexp_full_match(v, '{_NUMBER}')),
            sum(n) FILTER (read_instant(v, 'UTC', NULL) BETWEEN {EARLIEST} AND {LATEST}),
            sum(n) FILTER (read_instant(v, NULL, NULL) BETWEEN {EARLIEST} AND {LATEST}),
            sum(n) FILTER (lower(v) IN ('true', 'false')), max(len(v)), max(n), sum(n),
            max(CASE WHEN regexp_full_match(v, '{_NUMBER}') AND contains(v, '.') AND len(v) - instr(v, '.') <= 9
                THEN len(v) - instr(v, '.') ELSE 0 END)
            FROM (SELECT {name} AS v, count(*) AS n FROM {table} WHERE {name} IS NOT NULL GROUP BY 1)"""
    ).fetchone()
    if row is None or not row[0]:
        return None
    _, distinct, whole, numbers, instants, zoned, booleans, longest, top, records, scale = (int(each or 0) for each in row)
    return FieldSeen(
        path=str(path), records=records, distinct=distinct, whole=whole, numbers=numbers, instants=instants,
        zoned=zoned, booleans=booleans, scale=scale, longest=longest, top=top,
    )  # fmt: skip


def types(connection: duckdb.DuckDBPyConnection, source: str, given: Input, type_path: str) -> dict[str, int]:
    """See `sagacity.ledger.mining.Mining.types`."""
    define(connection)
    relation = _values(connection, source, given, [_path(type_path)], None)
    with reading(source):
        rows = connection.execute(
            f"SELECT v0, count(*) FROM ({relation}) WHERE v0 IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        return {str(name): int(n) for name, n in rows.fetchall()}


def unreadable(connection: duckdb.DuckDBPyConnection, source: str, given: Input) -> int:
    """See `sagacity.ledger.mining.Mining.unreadable`."""
    if not isinstance(given, Files) or given.format != "jsonl" or not given.paths:
        return 0
    found = 0
    with reading(source):
        for part in parts_of(connection, source, given, [], numbered=False):
            if part.malformed:
                found += _number(connection, f"SELECT count(*) FROM {part.relation} WHERE {part.malformed}")
    return found


def census(
    connection: duckdb.DuckDBPyConnection, source: str, given: Input, type_path: str, time_path: str, maker_path: str | None
) -> list[Census]:
    """See `sagacity.ledger.mining.Mining.census`."""
    define(connection)
    wanted = [_path(type_path), _path(time_path), *([_path(maker_path)] if maker_path is not None else [])]
    relation = _values(connection, source, given, wanted, None)
    maker = "v2" if maker_path is not None else "NULL"
    with reading(source):
        rows = connection.execute(
            f"""SELECT kind, sum(n), min(first), max(last), list(maker ORDER BY n DESC, maker) FILTER (maker IS NOT NULL)
            FROM (
                SELECT v0 AS kind, {maker} AS maker, count(*) AS n, min(t) AS first, max(t) AS last FROM (
                    SELECT *, CASE WHEN i BETWEEN {EARLIEST} AND {LATEST} THEN i END AS t FROM (
                        SELECT *, read_instant(v1, 'UTC', NULL) AS i FROM ({relation}) WHERE v0 IS NOT NULL))
                GROUP BY ALL)
            GROUP BY 1 ORDER BY 2 DESC, 1"""
        ).fetchall()
    return [
        Census(str(kind), int(n), first, last, tuple(str(each) for each in (makers or ())[:_MAKERS]))
        for kind, n, first, last, makers in rows
    ]


def keys(
    connection: duckdb.DuckDBPyConnection, source: str, given: Input, type_path: str, paths: Sequence[str]
) -> tuple[list[KeySeen], list[Link]]:
    """See `sagacity.ledger.mining.Mining.keys`."""
    define(connection)
    chosen = list(paths)[:_KEYS]
    relation = _values(connection, source, given, [_path(type_path), *map(_path, chosen)], None)
    found, links = [], []
    with reading(source):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE keyed AS {relation}")
        for number, path in enumerate(chosen, start=1):
            row = connection.execute(
                f"""SELECT coalesce(sum(n), 0), count(*), avg(k), max(n) FROM (SELECT count(*) AS n, count(DISTINCT v0) AS k
                    FROM keyed WHERE v{number} IS NOT NULL AND v0 IS NOT NULL GROUP BY v{number})"""
            ).fetchone()
            if row and row[1]:
                listed = connection.execute(
                    f"SELECT v0 FROM keyed WHERE v{number} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT {_TYPES}"
                )
                of = tuple(str(name) for (name,) in listed.fetchall())
                found.append(KeySeen(path, int(row[0]), int(row[1]), float(row[2]), of, int(row[3])))
        for (a, first), (b, second) in combinations(enumerate(chosen, start=1), 2):
            for x, y, one, other in ((a, b, first, second), (b, a, second, first)):
                row = connection.execute(
                    f"""SELECT sum(n), avg(CASE WHEN k = 1 THEN 1.0 ELSE 0.0 END) FROM (
                        SELECT count(*) AS n, count(DISTINCT v{x}) AS k FROM keyed
                        WHERE v{x} IS NOT NULL AND v{y} IS NOT NULL GROUP BY v{y})"""
                ).fetchone()
                if row and row[0]:
                    links.append(Link(one, other, int(row[0]), float(row[1])))
        connection.execute("DROP TABLE keyed")
    return found, links


def shared(connection: duckdb.DuckDBPyConnection, fields: Sequence[tuple[str, Input, str]], one_in: int) -> list[Shared]:
    """See `sagacity.ledger.mining.Mining.shared`."""
    define(connection)
    connection.execute("CREATE OR REPLACE TEMP TABLE holding (f INTEGER, v VARCHAR)")
    for number, (source, given, path) in enumerate(fields):
        relation = _values(connection, source, given, [_path(path)], None)
        with reading(source):
            connection.execute(
                f"INSERT INTO holding SELECT DISTINCT {number}, v0 FROM ({relation}) "
                f"WHERE v0 IS NOT NULL AND hash(v0) % {max(one_in, 1)} = 0"
            )
    rows = connection.execute(
        """SELECT a.f, b.f, count(*), count(*) / any_value(n) FROM holding AS a JOIN holding AS b ON a.v = b.v AND a.f <> b.f
        JOIN (SELECT f, count(*) AS n FROM holding GROUP BY f) AS k ON k.f = a.f GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    connection.execute("DROP TABLE holding")
    return [Shared(a, b, int(n), float(share)) for a, b, n, share in rows]


def _path(text: str) -> Path:
    parsed = parse_record(text)
    if not isinstance(parsed, Path):
        raise TypeError(f"{text} is no path")
    return parsed


def _values(
    connection: duckdb.DuckDBPyConnection, source: str, given: Input, wanted: Sequence[Path], most: int | None
) -> str:
    """SQL of the values of some paths as text, `v0`, `v1` and so on, of all records or of a sample."""
    if isinstance(given, Files) and not given.paths:
        return f"SELECT {', '.join(f'NULL::VARCHAR AS v{n}' for n in range(len(wanted)))} WHERE FALSE"
    parts = parts_of(connection, source, given, wanted, numbered=False)
    sampled = "" if most is None else f" USING SAMPLE reservoir({max(most // len(parts), 200)} ROWS) REPEATABLE (1)"
    return " UNION ALL ".join(f"(SELECT * FROM ({_part(part, wanted)}){sampled})" for part in parts)


def _part(part: Part, wanted: Sequence[Path]) -> str:
    values = [f"{read_text(part.fields[path])} AS v{n}" for n, path in enumerate(wanted)]
    sound = f" WHERE NOT coalesce({part.malformed}, FALSE)" if part.malformed and part.format == "jsonl" else ""
    return f"SELECT {', '.join(values)} FROM {part.relation}{sound}"


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
