"""A record as a live ledger in memory reads it: a JSON object, and plain paths in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sagacity.workflow.model import Capture
from sagacity.workflow.trace import Value

__all__ = ["at_path", "captured", "instant_of", "object_of", "text_of"]


def object_of(body: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def instant_of(value: object) -> int | None:
    try:
        moment = datetime.fromisoformat(str(value))
        return (moment - datetime.fromisoformat("1970-01-01T00:00Z")) // timedelta(microseconds=1)
    except (ValueError, TypeError):
        return None


def at_path(record: Mapping[str, Any], path: str) -> Any:
    value: Any = record
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def captured(captures: Mapping[str, Capture], record: Mapping[str, Any]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, capture in captures.items():
        value = at_path(record, capture.value)
        found[name] = Decimal(str(value)) if capture.type == "decimal" and value is not None else value
        if capture.currency:
            found[f"{name}.currency"] = at_path(record, capture.currency)
    return found


def text_of(value: object) -> str | None:
    return None if value is None else str(value)
