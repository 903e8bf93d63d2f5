"""Spark as an engine: DuckDB reads the sources and hands the events over as Parquet; what is asked of them is asked there.

All that is made are views of one session, over rows that Spark holds: nothing is written to a catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sagacity.errors import LedgerError
from sagacity.ledger.duckdb.handover import Reader
from sagacity.ledger.duckdb.returned import write_rows
from sagacity.ledger.engine import Kind, Row, Steps
from sagacity.ledger.likeness import similar
from sagacity.ledger.port import Intake, Progress
from sagacity.ledger.spark.dialect import rendered
from sagacity.plan.fill import Tree
from sagacity.sources.inputs import Input
from sagacity.workflow.model import Workflow

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["SparkEngine"]

_SETTINGS: Mapping[str, str] = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.session.timeZone": "UTC",
}
"""So that what does not fit is an error, and no digit is ever given up."""


class SparkEngine:
    """See `sagacity.ledger.engine.Engine`. The session is the one that runs in this process, or a new one as Spark's own
    configuration has it; it is left running for whoever else uses it."""

    name = "Spark"

    def __init__(self, reader: Reader | None = None) -> None:
        self._reader = reader or Reader()
        self._steps = Steps()
        self._held: dict[str, DataFrame] = {}
        with _asking():
            self._session: SparkSession = _running(self._reader.threads).newSession()
            for name, value in _SETTINGS.items():
                self._session.conf.set(name, value)

    def close(self) -> None:
        while self._held:
            relation, rows = self._held.popitem()
            with _asking():
                self._session.catalog.dropTempView(relation)
                rows.unpersist()

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
            workflow, inputs, "parquet", as_of=as_of, now=now, max_rejected=max_rejected, progress=progress
        )
        with reading as (taken, path):
            self.load(workflow, path)
        return taken

    def load(self, _: Workflow, path: Path) -> None:
        """Make `events` of a file as `sagacity.ledger.duckdb.handover` writes it."""
        with _asking():
            self._hold("events", self._session.read.parquet(path.as_uri()))

    def make(self, relation: str, query: Tree) -> None:
        with _asking():
            self._hold(relation, self._session.sql(rendered(query)))
        self._steps.further()

    def add(self, relation: str, query: Tree) -> None:
        with _asking():
            more = self._session.sql(rendered(query)).localCheckpoint()
            rows = self._held[relation].unionAll(more)
            rows.createOrReplaceTempView(relation)
            self._held[relation] = rows
        self._steps.further()

    def rows(self, query: Tree) -> list[Row]:
        with _asking():
            return [tuple(row) for row in self._session.sql(rendered(query)).collect()]

    def similar_cases(self, case: str, n: int) -> list[str]:
        return similar(self.rows, case, n)

    def write(self, query: Tree, columns: Mapping[str, Kind], path: Path) -> None:
        write_rows(self._streamed(query), columns, path)

    def watched(self, progress: Progress | None, what: str) -> AbstractContextManager[None]:
        return self._steps.watched(progress, what)

    def _streamed(self, query: Tree) -> Iterator[Row]:
        """The rows of a query, a part at a time."""
        with _asking():
            for row in self._session.sql(rendered(query)).toLocalIterator():
                yield tuple(row)

    def _hold(self, relation: str, rows: DataFrame) -> None:
        """Have the rows made once, and cut them off from what they were made of."""
        held = rows.localCheckpoint()
        held.createOrReplaceTempView(relation)
        self._held[relation] = held


def _running(threads: int | None) -> SparkSession:
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    builder = SparkSession.builder.appName("sagacity")
    return (builder.master(f"local[{threads}]") if threads is not None else builder).getOrCreate()


@contextmanager
def _asking() -> Iterator[None]:
    """Work in the engine: whatever fails there is the ledger's affair. Raises LedgerError."""
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        said = " ".join(str(error).split())[:500]
        raise LedgerError(f"Spark could not do its work: {said}", hint="see the session's log") from None
