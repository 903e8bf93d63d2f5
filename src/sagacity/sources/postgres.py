"""Tables of PostgreSQL as a source: `postgresql://user@host:5432/database#schema.table`.

All tables of one database that a run reads are read in one transaction, read-only and of one snapshot, so that they agree
with each other as they did at one instant. Rows become JSON lines, of the types that the table has: numbers keep their
digits, a time with a zone is written in UTC, JSON columns stay JSON.

Connecting, and each query, is bounded in time. What the URL leaves out is taken from libpq's variables and password file
(`PGPASSWORD`, `~/.pgpass`); a password is left out of everything that is said.
"""

from __future__ import annotations

from contextlib import suppress
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sagacity.errors import SourceError, UsageError
from sagacity.sources.spool import Spool
from sagacity.urls import told_without, without_password

if TYPE_CHECKING:
    import psycopg

__all__ = ["SCHEMES", "Databases"]

SCHEMES = ("postgresql://", "postgres://")
"""What a URL of a database begins with."""

_CONNECT_WITHIN = 10
_QUERY_WITHIN = 300
"""Seconds, unless the URL says another (`?options=-c%20statement_timeout=1h`, `&connect_timeout=30`)."""

_BOUNDS = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "application_name": "sagacity"}
_TABLES = """
select case when n.nspname = 'public' then c.relname else n.nspname || '.' || c.relname end
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'v', 'm', 'p', 'f') and n.nspname not in ('pg_catalog', 'information_schema')
    and n.nspname not like 'pg_toast%' order by 1
"""


class Databases:
    """The databases of one run, each open in one transaction. Close it when all tables have been read."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._open: dict[str, psycopg.Connection[Any]] = {}

    def read(self, url: str) -> tuple[Path, str]:
        """A table as a file of JSON lines, and what messages call it.

        Raises UsageError where the URL names no table, or the extra `postgres` is not installed; SourceError where the
        database cannot be reached, has no such table, or takes too long.
        """
        database, _, fragment = url.partition("#")
        shown = without_password(url)
        if find_spec("psycopg") is None:
            raise UsageError(f"{shown} needs the package psycopg", hint="pip install '.[postgres]' in a clone of Sagacity")
        if not fragment:
            raise UsageError(f"{shown} names no table", hint=f"write {shown}#orders, or {shown}#schema.orders")
        import psycopg

        path = self._spool.new(".jsonl")
        try:
            self._write(self._connection(database), unquote(fragment), path)
        except psycopg.Error as error:
            raise self._explained(error, database, unquote(fragment), shown) from None
        except OSError as error:
            raise SourceError(f"cannot keep {shown} in a temporary file: {error.strerror or error}") from error
        return path, shown

    def close(self) -> None:
        """Let go of all connections."""
        while self._open:
            self._open.popitem()[1].close()

    def _connection(self, database: str) -> psycopg.Connection[Any]:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        if database not in self._open:
            given = conninfo_to_dict(database)
            bounds: dict[str, Any] = {name: value for name, value in _BOUNDS.items() if name not in given}
            if "connect_timeout" not in given:
                bounds["connect_timeout"] = _CONNECT_WITHIN
            connection = psycopg.connect(database, autocommit=True, **bounds)
            self._open[database] = connection
            for name in ("statement_timeout", "lock_timeout"):
                row = connection.execute(b"select current_setting(%s)", (name,)).fetchone()
                if row == ("0",):
                    connection.execute(b"select set_config(%s, %s, false)", (name, f"{_QUERY_WITHIN}s"))
            connection.execute(b"set timezone to 'UTC'")
            connection.execute(b"begin isolation level repeatable read, read only")
        return self._open[database]

    def _write(self, connection: psycopg.Connection[Any], table: str, path: Path) -> None:
        from psycopg import sql

        # As CSV whose quote and delimiter JSON never holds, a line is the JSON itself: nothing has to be undone.
        copy = sql.SQL(
            "copy (select row_to_json(t) from {} t) to stdout (format csv, delimiter e'\\x02', quote e'\\x01')"
        ).format(sql.Identifier(*table.split(".", 1)))
        with connection.cursor() as cursor, cursor.copy(copy) as rows, path.open("wb") as out:
            for block in rows:
                out.write(block)

    def _explained(self, error: psycopg.Error, database: str, table: str, shown: str) -> SourceError | UsageError:
        """What went wrong, and how to mend it; a transaction that has failed is begun anew for those who ask next."""
        import psycopg

        connection = self._open.pop(database, None)
        said = told_without(error, database)
        hint = None
        if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.InvalidSchemaName) and connection is not None:
            names: list[str] = []
            with suppress(psycopg.Error):
                connection.rollback()
                names = [name for (name,) in connection.execute(_TABLES.encode()).fetchall()]
            close = get_close_matches(table, names, 1)
            listed = ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
            hint = f"did you mean #{close[0]}?" if close else f"there is {listed or 'no table'}"
        elif isinstance(error, psycopg.errors.QueryCanceled):
            hint = f"give it longer than {_QUERY_WITHIN} s: {shown.partition('#')[0]}?options=-c%20statement_timeout=1h"
        elif isinstance(error, psycopg.errors.InsufficientPrivilege):
            hint = "grant SELECT on the table to this user"
        elif connection is None:
            hint = "check host, port, user, password (PGPASSWORD, ~/.pgpass) and the database's name"
        if connection is not None:
            connection.close()
        kind = UsageError if isinstance(error, psycopg.ProgrammingError) and connection is None else SourceError
        return kind(f"cannot read {shown}: {said}", hint=hint)
