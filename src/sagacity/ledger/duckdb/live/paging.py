"""Lists in pages: a cursor is the place of the last item, so that what comes and goes meanwhile moves no page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import duckdb
import msgspec

from sagacity.errors import UsageError
from sagacity.ledger.live import Page

__all__ = ["page_of"]

T = TypeVar("T")

_MOST = 500


def page_of(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Sequence[object],
    key: Sequence[str],
    make: Callable[[Any], T],
    *,
    cursor: str | None,
    limit: int,
) -> Page[T]:
    """A page of a query, in the order of the SQL expressions in `key`, which together are unique; the query's rows come
    after those. Raises UsageError for a cursor that is none."""
    limit = max(1, min(limit, _MOST))
    keys = ", ".join(f"({part}) AS key{place}" for place, part in enumerate(key))
    names = ", ".join(f"key{place}" for place in range(len(key)))
    after = ""
    values = list(parameters)
    if cursor is not None:
        values += _unpacked(cursor, len(key))
        after = f"WHERE ({names}) > ({', '.join('?' for _ in key)})"
    sql = f"SELECT * FROM (SELECT {keys}, q.* FROM ({query}) AS q) {after} ORDER BY {names} LIMIT {limit + 1}"
    try:
        rows = connection.execute(sql, values).fetchall()
    except (duckdb.DataError, duckdb.ProgrammingError) as error:
        if cursor is None:
            raise
        raise _no_cursor() from error  # of another list, for one
    items = tuple(make(row[len(key) :]) for row in rows[:limit])
    return Page(items, _packed(rows[limit - 1][: len(key)]) if len(rows) > limit else None)


def _packed(key: Sequence[object]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(list(key))).decode().rstrip("=")


def _unpacked(cursor: str, parts: int) -> list[object]:
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, msgspec.DecodeError):
        found = None
    if not isinstance(found, list) or len(found) != parts or not all(isinstance(each, str | int) for each in found):
        raise _no_cursor()
    return found


def _no_cursor() -> UsageError:
    return UsageError("this is no cursor", hint="leave it out for the first page; each page has the next one's")
