"""Events for another engine: DuckDB reads the sources, accounts for every record, and puts `events` into a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from sagacity.ledger.duckdb.connection import connect, discard, folder_of
from sagacity.ledger.duckdb.failures import judging
from sagacity.ledger.duckdb.fields import identifier, literal
from sagacity.ledger.duckdb.intake import take_in
from sagacity.ledger.port import Intake, Progress
from sagacity.plan.columns import Column, attribute_columns
from sagacity.sources.inputs import Input
from sagacity.workflow.model import Workflow

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["Form", "Reader", "columns_of", "exported"]

Form: TypeAlias = Literal["parquet", "copy"]
"""Parquet, or lines as PostgreSQL's COPY reads them: tabs between values, backslashes before what would be one."""

_FIXED = {"case_id": "VARCHAR", "type": "SMALLINT", "other": "VARCHAR", "time": "BIGINT", "seq": "BIGINT", "id": "VARCHAR"}

_FORMS: Mapping[Form, str] = {
    "parquet": "FORMAT parquet, COMPRESSION lz4",
    "copy": r"FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR '\N'",
}
_ESCAPED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


class Reader(msgspec.Struct, frozen=True):
    """The settings of DuckDB where it only reads: those of `sagacity.ledger.duckdb.connection.connect`."""

    memory: str | None = None
    threads: int | None = None

    @contextmanager
    def read(
        self,
        workflow: Workflow,
        inputs: Mapping[str, Input],
        form: Form,
        *,
        as_of: int | None,
        now: int,
        max_rejected: int | None,
        progress: Progress | None = None,
    ) -> Iterator[tuple[Intake, Path]]:
        """What `sagacity.ledger.duckdb.intake.take_in` says, and a file of the events, there as long as this lasts."""
        connection = connect(memory=self.memory, threads=self.threads)
        try:
            taken = take_in(connection, workflow, inputs, as_of=as_of, now=now, max_rejected=max_rejected, progress=progress)
            yield taken, exported(connection, workflow, form)
        finally:
            discard(connection)


def columns_of(workflow: Workflow) -> tuple[Column, ...]:
    """Every column of `events`, in order, with its type."""
    return (*(Column(name, kind, name) for name, kind in _FIXED.items()), *attribute_columns(workflow))


def exported(connection: DuckDBPyConnection, workflow: Workflow, form: Form) -> Path:
    """The relation `events` of a connection as a file in its private folder."""
    path = folder_of(connection) / f"events.{form}"
    told = [_escaped(column) if form == "copy" else identifier(column.name) for column in columns_of(workflow)]
    with judging():
        connection.execute(f"COPY (SELECT {', '.join(told)} FROM events) TO {literal(str(path))} ({_FORMS[form]})")
    return path


def _escaped(column: Column) -> str:
    name = identifier(column.name)
    if column.sql_type != "VARCHAR":
        return name
    sql = name
    for character, escaped in _ESCAPED.items():
        sql = f"replace({sql}, chr({ord(character)}), {literal(escaped)})"
    return f"{sql} AS {name}"
