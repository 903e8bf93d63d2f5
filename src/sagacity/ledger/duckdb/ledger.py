"""The embedded ledger: events in DuckDB, judged by the plan."""

from __future__ import annotations

from sagacity.ledger.duckdb.connection import connect
from sagacity.ledger.duckdb.engine import DuckDBEngine
from sagacity.ledger.planned import PlannedLedger
from sagacity.workflow.model import Workflow

__all__ = ["DuckDBLedger"]


class DuckDBLedger(PlannedLedger):
    """One workflow's events and verdicts, in memory, with a private folder for what does not fit.

    `memory` (such as `1GB`), `threads` and `folder` are those of `sagacity.ledger.duckdb.connection.connect`.
    """

    def __init__(self, workflow: Workflow, *, memory: str | None = None, threads: int | None = None) -> None:
        self.connection = connect(memory=memory, threads=threads)
        super().__init__(workflow, DuckDBEngine(self.connection))
