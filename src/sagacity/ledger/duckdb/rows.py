"""Rows of the relation of `sagacity.plan.columns`, read back as events."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sagacity.ledger.duckdb.fields import identifier
from sagacity.plan.columns import UNEXPECTED, attribute_columns
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import Event, Value

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["EventReader", "first_row"]


def first_row(connection: DuckDBPyConnection, query: str, parameters: Sequence[object] = ()) -> Any:
    """The first row of a query, None where it has none. The rest is fetched too: what is left of a result keeps a
    transaction from going on."""
    rows = connection.execute(query, list(parameters)).fetchall()
    return rows[0] if rows else None


class EventReader:
    """Makes events of rows that were selected by `columns`: an event has the attributes that its type captures."""

    def __init__(self, workflow: Workflow) -> None:
        self._columns = attribute_columns(workflow)
        self._names = list(workflow.events)
        self._captured = {
            name: {column.attribute: column.name for column in attribute_columns(workflow, name)} for name in self._names
        }
        self.names = ["type", "other", "time", "seq", "id", *(it.name for it in self._columns)]
        self.width = len(self.names)

    def columns(self, table: str) -> str:
        """What to select from a table that goes by this name."""
        return ", ".join(f"{table}.{identifier(name)}" for name in self.names)

    def event(self, row: Sequence[object]) -> Event:
        kind, other, time, seq, id_, *values = row
        assert isinstance(kind, int)
        assert isinstance(time, int)
        assert isinstance(seq, int)
        name = str(other) if kind == UNEXPECTED else self._names[kind]
        wanted = self._captured.get(name, {})
        attributes = {
            column.attribute: _value(value)
            for column, value in zip(self._columns, values, strict=True)
            if wanted.get(column.attribute) == column.name
        }
        return Event(name, time, seq, None if id_ is None else str(id_), attributes)


def _value(value: object) -> Value:
    assert value is None or isinstance(value, str | int | Decimal | bool)
    return value
