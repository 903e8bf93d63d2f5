"""Events that are at hand already, as the relation `events`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sagacity.plan.columns import UNEXPECTED, attribute_columns
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import Event

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["write_events"]


def write_events(connection: DuckDBPyConnection, workflow: Workflow, rows: Iterable[tuple[str, Event]]) -> None:
    """Make the relation `events` of events that are already at hand, each with its case id."""
    columns = attribute_columns(workflow)
    fixed = "case_id VARCHAR, type SMALLINT, other VARCHAR, time BIGINT, seq BIGINT, id VARCHAR"
    named = "".join(f', "{column.name}" {column.sql_type}' for column in columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE events ({fixed}{named})")
    number = {name: i for i, name in enumerate(workflow.events)}
    captured = {name: {column.name for column in attribute_columns(workflow, name)} for name in workflow.events}
    values = [
        (
            case,
            number.get(event.type, UNEXPECTED),
            None if event.type in number else event.type,
            event.time,
            event.seq,
            event.id,
            *(
                event.attributes.get(column.attribute) if column.name in captured.get(event.type, ()) else None
                for column in columns
            ),
        )
        for case, event in rows
    ]
    if values:
        marks = ", ".join("?" for _ in range(6 + len(columns)))
        connection.executemany(f"INSERT INTO events VALUES ({marks})", values)
