"""Correlation and trace ids that the records of a case carry, each with the search for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from sagacity.report.markup import Child, Markup, tag
from sagacity.web.pages.links import cases_url
from sagacity.web.pages.words import named

__all__ = ["trace_facts", "trace_id"]

_LABELS = {
    "correlation_id": "Correlation",
    "correlationid": "Correlation",
    "correlationId": "Correlation",
    "traceparent": "Trace",
    "trace_id": "Trace",
    "traceId": "Trace",
}
_WITHIN = ("headers", "data", "metadata")
_SHOWN = 6


def trace_facts(records: Sequence[str | None], leads: Set[str] | None = None) -> list[tuple[str, Child]]:
    """A row for correlation ids and one for trace ids, where there are any. `records` are JSON texts. `leads` are those by
    which a search finds something; None for all."""
    found: dict[str, dict[str, None]] = {}
    for place in (place for record in records for place in _places(record)):
        for name, label in _LABELS.items():
            value = place.get(name)
            if isinstance(value, str) and value:
                found.setdefault(label, {})[trace_id(value) if name == "traceparent" else value] = None
    rows: list[tuple[str, Child]] = []
    for label, ids in found.items():
        links = [_linked(value, leads is None or value in leads) for value in list(ids)[:_SHOWN]]
        more = f" and {len(ids) - _SHOWN:,} more" if len(ids) > _SHOWN else None
        rows.append((label, (tag("span", links, class_="ids"), more)))
    return rows


def _linked(value: str, leads: bool) -> Markup:
    code = tag("code", named(value, 64))
    return tag("a", code, href=cases_url(text=value)) if leads else code


def _places(record: str | None) -> Iterator[Mapping[str, Any]]:
    """The record, and the parts of it that may hold such ids."""
    try:
        read = json.loads(record) if record else None
    except (ValueError, RecursionError):
        return
    if isinstance(read, dict):
        yield read
        yield from (read[name] for name in _WITHIN if isinstance(read.get(name), dict))


def trace_id(traceparent: str) -> str:
    """The second part of a W3C traceparent (version, trace id, parent id, flags); another text as it is."""
    parts = traceparent.split("-")
    return parts[1] if len(parts) == 4 else traceparent
