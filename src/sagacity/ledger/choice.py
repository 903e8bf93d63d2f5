"""The ledger of a history, by the engine that its URL names. Each engine is loaded only when it is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from typing import TypeAlias

import msgspec

from sagacity.errors import UsageError
from sagacity.ledger.duckdb.handover import Reader
from sagacity.ledger.engine import Engine
from sagacity.ledger.planned import PlannedLedger
from sagacity.ledger.port import Ledger
from sagacity.urls import without_password
from sagacity.workflow.model import Workflow

__all__ = ["ledger_on"]


def ledger_on(engine: str | None, workflow: Workflow, *, memory: str | None = None, threads: int | None = None) -> Ledger:
    """An empty ledger on the engine of a URL; None or `duckdb:` stands for the embedded one.

    `memory` and `threads` are those of DuckDB, which reads the sources for every engine. Raises UsageError where there is no
    such engine, or its package is not installed; UsageError and LedgerError where it cannot be used.
    """
    if engine in (None, "duckdb", "duckdb:"):
        from sagacity.ledger.duckdb.ledger import DuckDBLedger

        return DuckDBLedger(workflow, memory=memory, threads=threads)
    chosen = _chosen(engine)
    if chosen is None:
        shown = without_password(engine)
        known = [choice.example for choice in _CHOICES.values()]
        close = get_close_matches(shown, known, 1)
        hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(dict.fromkeys(known))}"
        raise UsageError(f"there is no engine '{shown}'", hint=hint)
    if find_spec(chosen.package) is None:
        raise UsageError(
            f"{without_password(engine)} needs the package {chosen.package}",
            hint=f"pip install '.[{chosen.extra}]' in a clone of Sagacity",
        )
    return PlannedLedger(workflow, chosen.open(engine, Reader(memory, threads)))


_Open: TypeAlias = Callable[[str, Reader], Engine]


class _Choice(msgspec.Struct, frozen=True):
    """An engine: what opens it, the package that it needs with the extra that brings it, and a URL as an example."""

    open: _Open
    package: str
    extra: str
    example: str


def _postgres(url: str, reader: Reader) -> Engine:
    from sagacity.ledger.postgres.engine import PostgresEngine

    return PostgresEngine(url, reader)


def _chdb(_: str, reader: Reader) -> Engine:
    from sagacity.ledger.clickhouse.engine import ClickHouseEngine

    return ClickHouseEngine(reader)


def _spark(_: str, reader: Reader) -> Engine:
    from sagacity.ledger.spark.engine import SparkEngine

    return SparkEngine(reader)


_POSTGRES = _Choice(_postgres, "psycopg", "postgres", "postgresql://user@host:5432/database")

_CHOICES: Mapping[str, _Choice] = {
    "postgresql://": _POSTGRES,
    "postgres://": _POSTGRES,
    "chdb:": _Choice(_chdb, "chdb", "clickhouse", "chdb:"),
    "spark:": _Choice(_spark, "pyspark", "spark", "spark:"),
}
"""By what a URL begins with."""


def _chosen(engine: str) -> _Choice | None:
    return next((choice for scheme, choice in _CHOICES.items() if f"{engine}:".startswith(scheme)), None)
