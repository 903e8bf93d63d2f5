"""The embedded engine: DuckDB in memory, with a private folder for what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from sagacity.ledger.duckdb.connection import discard, watched
from sagacity.ledger.duckdb.failures import judging
from sagacity.ledger.duckdb.files import write
from sagacity.ledger.duckdb.intake import take_in
from sagacity.ledger.engine import Kind, Row
from sagacity.ledger.port import Intake, Progress
from sagacity.plan.fill import Tree
from sagacity.sources.inputs import Input
from sagacity.workflow.model import Workflow

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["DuckDBEngine"]


class DuckDBEngine:
    """See `sagacity.ledger.engine.Engine`. The connection is one of `sagacity.ledger.duckdb.connection.connect`."""

    name = "DuckDB"

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self.connection = connection

    def close(self) -> None:
        discard(self.connection)

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
        """See `sagacity.ledger.duckdb.intake.take_in`."""
        return take_in(self.connection, workflow, inputs, as_of=as_of, now=now, max_rejected=max_rejected, progress=progress)

    def make(self, relation: str, query: Tree) -> None:
        with judging():
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {relation} AS {query.sql('duckdb')}")

    def add(self, relation: str, query: Tree) -> None:
        with judging():
            self.connection.execute(f"INSERT INTO {relation} {query.sql('duckdb')}")

    def rows(self, query: Tree) -> list[Row]:
        with judging():
            return self.connection.execute(query.sql("duckdb")).fetchall()

    def similar_cases(self, case: str, n: int) -> list[str]:
        query = "SELECT case_id FROM (SELECT DISTINCT case_id FROM events) ORDER BY levenshtein(case_id, ?), case_id LIMIT ?"
        with judging():
            return [near for (near,) in self.connection.execute(query, [case, n]).fetchall()]

    def write(self, query: Tree, columns: Mapping[str, Kind], path: Path) -> None:
        write(self.connection, query.sql("duckdb"), columns, path)

    def watched(self, progress: Progress | None, what: str) -> AbstractContextManager[None]:
        return watched(self.connection, progress, what)
