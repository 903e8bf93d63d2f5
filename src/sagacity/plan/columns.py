"""The relation that a plan runs over: one row an event, with the columns named here.

| column    | type     | meaning |
|-----------|----------|---------|
| `case_id` | VARCHAR  | the case; never NULL |
| `type`    | SMALLINT | the event type's number: its place in `Workflow.events`; -1 for an unexpected event |
| `other`   | VARCHAR  | the name of an unexpected event's type; NULL otherwise |
| `time`    | BIGINT   | microseconds since 1970-01-01T00:00Z |
| `seq`     | BIGINT   | the intrinsic position, 0 where the source has none |
| `id`      | VARCHAR  | the event's id within its type; NULL where the source has none |

After these comes one column for each captured attribute that `attribute_columns` names: attributes of the same name and
type share a column, NULL for event types that do not capture it. Decimals are exact, times are microseconds.
"""

from __future__ import annotations

import msgspec

from sagacity.workflow.model import Capture, Workflow

__all__ = ["FIXED", "UNEXPECTED", "Column", "attribute_columns", "column_of", "currency_of"]

FIXED = ("case_id", "type", "other", "time", "seq", "id")
UNEXPECTED = -1


class Column(msgspec.Struct, frozen=True):
    """A column that holds an attribute: its name in the relation, its SQL type, and the attribute that it holds."""

    name: str
    sql_type: str
    attribute: str


_SQL_TYPES = {"text": "VARCHAR", "integer": "BIGINT", "boolean": "BOOLEAN", "time": "BIGINT"}


def _sql_type(capture: Capture) -> str:
    if capture.type == "decimal":
        return f"DECIMAL({capture.digits},{capture.scale})"
    return _SQL_TYPES[capture.type or "text"]


def _suffix(capture: Capture) -> str:
    kind = capture.type or "text"
    standard = Capture(value="")
    if kind != "decimal" or (capture.digits, capture.scale) == (standard.digits, standard.scale):
        return kind
    return f"{kind}_{capture.digits}_{capture.scale}"


def column_of(attribute: str, capture: Capture) -> Column:
    """The column that holds an attribute captured in this way."""
    return Column(f"{attribute}${_suffix(capture)}", _sql_type(capture), attribute)


def currency_of(attribute: str) -> Column:
    """The column that holds the currency of an attribute."""
    return Column(f"{attribute}$currency", "VARCHAR", f"{attribute}.currency")


def attribute_columns(workflow: Workflow, only: str | None = None) -> tuple[Column, ...]:
    """Every attribute column of the workflow's relation, or those of one event type, in the order of their names."""
    columns: dict[str, Column] = {}
    for event_type in workflow.events.values() if only is None else [workflow.events[only]]:
        for attribute, capture in event_type.capture.items():
            column = column_of(attribute, capture)
            columns[column.name] = column
            if capture.currency is not None:
                currency = currency_of(attribute)
                columns[currency.name] = currency
    return tuple(columns[name] for name in sorted(columns))
