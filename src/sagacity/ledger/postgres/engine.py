"""PostgreSQL as an engine: DuckDB reads the sources and hands the events over; what is asked of them is asked there.

All that is made are temporary tables of one connection: they need no more than the right to have such, which every user
of a database has unless it was taken away; nobody else sees them; and they are gone with the connection, however it ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg

from sagacity.ledger.duckdb.handover import Reader, columns_of
from sagacity.ledger.duckdb.returned import write_rows
from sagacity.ledger.engine import Kind, Row, Steps
from sagacity.ledger.likeness import similar
from sagacity.ledger.port import Intake, Progress
from sagacity.ledger.postgres.connection import open_database
from sagacity.ledger.postgres.dialect import definition, quoted, rendered
from sagacity.ledger.postgres.failures import asking
from sagacity.plan.fill import Tree
from sagacity.sources.inputs import Input
from sagacity.workflow.model import Workflow

__all__ = ["PostgresEngine"]

_BLOCK = 1 << 18
_ROWS = 5_000


class PostgresEngine:
    """See `sagacity.ledger.engine.Engine`. Raises UsageError and LedgerError where the database cannot be used."""

    name = "PostgreSQL"

    def __init__(self, url: str, reader: Reader | None = None) -> None:
        self._url = url
        self._reader = reader or Reader()
        self._steps = Steps()
        self._connection = open_database(url)

    def close(self) -> None:
        self._connection.close()

    def intake(
        self,
        workflow: Workflow,
        inputs: Mapping[str, Input],
        *,
        as_of: int | None,
        now: int,
        max_rejected: int | None,
        progress: Progress | None = None,
    ) -> Intake:
        """DuckDB takes the sources in, and its relation `events` becomes one here."""
        reading = self._reader.read(
            workflow, inputs, "copy", as_of=as_of, now=now, max_rejected=max_rejected, progress=progress
        )
        with reading as (taken, path):
            self.load(workflow, path)
        return taken

    def load(self, workflow: Workflow, path: Path) -> None:
        """Make `events` of a file as `sagacity.ledger.duckdb.handover` writes it."""
        columns = ", ".join(f"{quoted(it.name)} {definition(it.sql_type)}" for it in columns_of(workflow))
        with asking(self._url):
            self._run(f"DROP TABLE IF EXISTS events; CREATE TEMPORARY TABLE events ({columns})")
            with (
                path.open("rb") as file,
                self._connection.cursor() as cursor,
                cursor.copy(b"COPY events FROM STDIN") as copy,
            ):
                while block := file.read(_BLOCK):
                    copy.write(block)
            self._run("ANALYZE events")

    def make(self, relation: str, query: Tree) -> None:
        name = quoted(relation)
        with asking(self._url):
            self._run(f"DROP TABLE IF EXISTS {name}; CREATE TEMPORARY TABLE {name} AS {rendered(query)}")
            self._run(f"ANALYZE {name}")
        self._steps.further()

    def add(self, relation: str, query: Tree) -> None:
        with asking(self._url):
            self._run(f"INSERT INTO {quoted(relation)} {rendered(query)}")
        self._steps.further()

    def rows(self, query: Tree) -> list[Row]:
        with asking(self._url):
            return self._run(rendered(query)).fetchall()

    def similar_cases(self, case: str, n: int) -> list[str]:
        return similar(self.rows, case, n)

    def write(self, query: Tree, columns: Mapping[str, Kind], path: Path) -> None:
        write_rows(self._streamed(query), columns, path)

    def watched(self, progress: Progress | None, what: str) -> AbstractContextManager[None]:
        return self._steps.watched(progress, what)

    def _streamed(self, query: Tree) -> Iterator[Row]:
        """The rows of a query, some at a time."""
        with asking(self._url), self._connection.transaction(), self._connection.cursor("told") as cursor:
            cursor.itersize = _ROWS
            cursor.execute(rendered(query).encode())
            yield from cursor

    def _run(self, sql: str) -> psycopg.Cursor[Row]:
        return self._connection.execute(sql.encode())
