"""ClickHouse within this process (chDB) as an engine: DuckDB reads the sources and hands the events over as Parquet.

All that is made are temporary tables of one connection, kept in a private folder of the process that goes with it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlglot import exp

from sagacity.errors import FullError, LedgerError, MemoryLimitError
from sagacity.ledger.clickhouse.dialect import rendered
from sagacity.ledger.duckdb.connection import memory_limit
from sagacity.ledger.duckdb.handover import Reader, columns_of
from sagacity.ledger.duckdb.returned import rewrite
from sagacity.ledger.engine import Kind, Row, Steps
from sagacity.ledger.likeness import similar
from sagacity.ledger.port import Intake, Progress
from sagacity.plan.fill import Tree
from sagacity.sources.inputs import Input
from sagacity.workflow.model import Workflow

__all__ = ["ClickHouseEngine"]

_TABLE = "ENGINE = MergeTree ORDER BY tuple()"

_SETTINGS: Mapping[str, int] = {
    "aggregate_functions_null_for_empty": 1,
    "decimal_check_overflow": 1,
    "join_use_nulls": 1,
    "least_greatest_legacy_null_behavior": 0,
    "max_ast_depth": 100_000,
    "max_ast_elements": 10_000_000,
    "max_expanded_ast_elements": 10_000_000,
    "max_parser_depth": 100_000,
    "max_query_size": 1 << 30,
    "output_format_arrow_string_as_string": 1,
    "output_format_parquet_string_as_string": 1,
    "prefer_column_name_to_alias": 1,
}
"""So that NULL is what standard SQL says it is, and no workflow is too large."""


class ClickHouseEngine:
    """See `sagacity.ledger.engine.Engine`. The reader's memory and threads are this engine's too."""

    name = "ClickHouse"

    def __init__(self, reader: Reader | None = None) -> None:
        self._reader = reader or Reader()
        self._steps = Steps()
        import chdb  # half a gigabyte, and there only where the extra is

        self._connection: Any = chdb.connect(":memory:")
        settings = dict(_SETTINGS)
        if self._reader.threads is not None:
            settings["max_threads"] = self._reader.threads
        if self._reader.memory is not None:
            settings["max_memory_usage"] = memory_limit(self._reader.memory)
        self._run("SET " + ", ".join(f"{name} = {value}" for name, value in settings.items()))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

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

    def load(self, workflow: Workflow, path: Path) -> None:
        """Make `events` of a file as `sagacity.ledger.duckdb.handover` writes it."""
        columns = [f"{_quoted(it.name)} {_definition(it.name, it.sql_type)}" for it in columns_of(workflow)]
        self._drop("events")
        self._run(f"CREATE TEMPORARY TABLE events ({', '.join(columns)}) {_TABLE}")
        self._run(f"INSERT INTO events SELECT * FROM file({_text(path)}, 'Parquet', {_text(', '.join(columns))})")

    def make(self, relation: str, query: Tree) -> None:
        self._drop(relation)
        self._run(f"CREATE TEMPORARY TABLE {_quoted(relation)} {_TABLE} AS {rendered(query)}")
        self._steps.further()

    def add(self, relation: str, query: Tree) -> None:
        self._run(f"INSERT INTO {_quoted(relation)} {rendered(query)}")
        self._steps.further()

    def rows(self, query: Tree) -> list[Row]:
        import pyarrow as pa

        found = self._run(rendered(query), "Arrow").bytes()
        if not found:
            return []
        table = pa.ipc.open_file(pa.BufferReader(found)).read_all()
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def similar_cases(self, case: str, n: int) -> list[str]:
        return similar(self.rows, case, n)

    def write(self, query: Tree, columns: Mapping[str, Kind], path: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="sagacity-") as folder:
            told = Path(folder) / "rows.parquet"
            self._run(f"{rendered(query)} INTO OUTFILE {_text(told)} FORMAT Parquet")
            rewrite(told, columns, path)

    def watched(self, progress: Progress | None, what: str) -> AbstractContextManager[None]:
        return self._steps.watched(progress, what)

    def _drop(self, relation: str) -> None:
        self._run(f"DROP TEMPORARY TABLE IF EXISTS {_quoted(relation)}")

    def _run(self, sql: str, form: str = "TSV") -> Any:
        if self._connection is None:
            raise LedgerError("the ledger is closed")
        with _asking():
            return self._connection.query(sql, form)


@contextmanager
def _asking() -> Iterator[None]:
    """Work in the engine: whatever fails there is the ledger's affair. Raises LedgerError."""
    try:
        yield
    except RuntimeError as error:
        said = str(error).splitlines()[0]
        if "(MEMORY_LIMIT_EXCEEDED)" in said:
            raise MemoryLimitError("ClickHouse's memory limit was reached", hint="give it more with --memory") from None
        if "(NOT_ENOUGH_SPACE)" in said or "No space left on device" in said:
            raise FullError("the disk for temporary files is full", hint="make room in the folder of TMPDIR") from None
        raise LedgerError(f"ClickHouse could not do its work: {said}") from None


def _quoted(name: str) -> str:
    return rendered(exp.to_identifier(name, quoted=True))


def _text(text: object) -> str:
    return rendered(exp.Literal.string(str(text)))


_NEVER_NULL = ("case_id", "type", "time", "seq")


def _definition(name: str, sql_type: str) -> str:
    kind = rendered(exp.DataType.build(sql_type, dialect="duckdb"))
    return kind.removeprefix("Nullable(").removesuffix(")") if name in _NEVER_NULL else kind
