"""The engines that a history can be judged on, each ready for tests: what every one of them is held to alike."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from sagacity.ledger.duckdb.connection import connect, discard
from sagacity.ledger.duckdb.engine import DuckDBEngine
from sagacity.ledger.duckdb.given import write_events
from sagacity.ledger.duckdb.handover import Form, Reader, exported
from sagacity.ledger.engine import Engine
from sagacity.ledger.planned import run
from sagacity.ledger.postgres.engine import PostgresEngine
from sagacity.ledger.verdicts import case_verdicts
from sagacity.plan.plan import Plan
from sagacity.testing.servers.postgres import PostgreSQL
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import Event
from sagacity.workflow.verdict import CaseVerdict

__all__ = ["ENGINES", "Ground"]

Rows = Iterable[tuple[str, Event]]


class Ground(NamedTuple):
    """An engine for all tests of a run. `open` makes another, for a ledger that will close it; `take` makes its `events` of
    events that are at hand, each with its case. `examples` is how many examples of a property are worth their time on it."""

    name: str
    engine: Engine
    open: Callable[[], Engine]
    take: Callable[[Workflow, Rows], None]
    examples: int

    def verdicts(self, plan: Plan, rows: Rows) -> dict[str, CaseVerdict]:
        """What the plan says of every case of these events."""
        self.take(plan.workflow, rows)
        run(self.engine, plan)
        return case_verdicts(self.engine, plan)


@contextmanager
def _duckdb(_: pytest.FixtureRequest) -> Iterator[Ground]:
    engine = DuckDBEngine(connect(threads=1))
    try:
        yield Ground(
            "duckdb",
            engine,
            lambda: DuckDBEngine(connect(threads=1)),
            lambda workflow, rows: write_events(engine.connection, workflow, rows),
            50,
        )
    finally:
        engine.close()


@contextmanager
def _postgresql(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """A database whose own collation is a language's, where texts do not compare by code points; a user of no rights."""
    server: PostgreSQL = request.getfixturevalue("postgres")
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("create role analyst login")
        try:
            admin.execute("create database judged template template0 locale_provider icu icu_locale 'en-US'")
        except psycopg.errors.FeatureNotSupported:  # a build without languages
            admin.execute("create database judged template template0")
    url = f"postgresql://analyst@127.0.0.1:{server.port}/judged"
    engine = PostgresEngine(url, _READER)
    try:
        yield Ground(
            "postgresql",
            engine,
            lambda: PostgresEngine(url, _READER),
            lambda workflow, rows: _handed(workflow, rows, "copy", lambda path: engine.load(workflow, path)),
            15,
        )
    finally:
        engine.close()
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute("drop database judged with (force)")
            admin.execute("drop role analyst")


@contextmanager
def _clickhouse(_: pytest.FixtureRequest) -> Iterator[Ground]:
    if importlib.util.find_spec("chdb") is None:
        pytest.skip("chDB is not installed")
    from sagacity.ledger.clickhouse.engine import ClickHouseEngine

    engine = ClickHouseEngine(_READER)
    try:
        yield Ground(
            "clickhouse",
            engine,
            lambda: ClickHouseEngine(_READER),
            lambda workflow, rows: _handed(workflow, rows, "parquet", lambda path: engine.load(workflow, path)),
            10,
        )
    finally:
        engine.close()


@contextmanager
def _spark(_: pytest.FixtureRequest) -> Iterator[Ground]:
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("Spark is not installed")
    from pyspark.sql import SparkSession

    from sagacity.ledger.spark.engine import SparkEngine

    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",  # compiling takes longer than a few rows do
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.ui.enabled": "false",
    }
    session = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
    engine = SparkEngine(_READER)
    try:
        yield Ground(
            "spark",
            engine,
            lambda: SparkEngine(_READER),
            lambda workflow, rows: _handed(workflow, rows, "parquet", lambda path: engine.load(workflow, path)),
            2,
        )
    finally:
        engine.close()
        session.stop()


def _handed(workflow: Workflow, rows: Rows, form: Form, load: Callable[[Path], None]) -> None:
    """Hand events over to an engine as its intake does."""
    connection = connect(threads=1)
    try:
        write_events(connection, workflow, rows)
        load(exported(connection, workflow, form))
    finally:
        discard(connection)


_READER = Reader(threads=1)

ENGINES: Mapping[str, Callable[[pytest.FixtureRequest], AbstractContextManager[Ground]]] = {
    "duckdb": _duckdb,
    "postgresql": _postgresql,
    "clickhouse": _clickhouse,
    "spark": _spark,
}
"""What makes the ground of each engine; where one cannot be had, what asks for it is skipped by name."""
