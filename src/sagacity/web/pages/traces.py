"""Correlation and trace ids that the records of a case carry, each with the search for it; and where traces are shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any
from urllib.parse import quote

from sagacity.ledger.live import StoredEvent
from sagacity.report.markup import Child, Markup, tag
from sagacity.web.pages.links import cases_url
from sagacity.web.pages.words import named

__all__ = ["carried", "trace_facts", "trace_id"]

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


def trace_facts(
    records: Sequence[str | None], leads: Set[str] | None = None, *, shown_at: str | None = None
) -> list[tuple[str, Child]]:
    """A row for correlation ids and one for trace ids, where there are any. `records` are JSON texts. `leads` are those by
    which a search finds something; None for all. `shown_at` is the address at which a trace is shown, with `{trace}` where
    its id goes."""
    found: dict[str, dict[str, None]] = {}
    for place in (place for record in records for place in _places(record)):
        for name, label in _LABELS.items():
            value = place.get(name)
            if isinstance(value, str) and value:
                found.setdefault(label, {})[trace_id(value) if name == "traceparent" else value] = None
    rows: list[tuple[str, Child]] = []
    for label, ids in found.items():
        at = shown_at if label == "Trace" else None
        links = [(_linked(value, leads is None or value in leads), _opened(value, at)) for value in list(ids)[:_SHOWN]]
        more = f" and {len(ids) - _SHOWN:,} more" if len(ids) > _SHOWN else None
        rows.append((label, (tag("span", links, class_="ids"), more)))
    return rows


def carried(events: Iterable[StoredEvent]) -> list[str | None]:
    """The records of events, and what came in their headers, as JSON texts."""
    texts: list[str | None] = []
    for stored in events:
        texts.append(stored.record)
        headers = {"correlation_id": stored.correlation, "trace_id": stored.trace}
        texts.append(json.dumps({name: value for name, value in headers.items() if value}))
    return texts


def _linked(value: str, leads: bool) -> Markup:
    code = tag("code", named(value, 64))
    return tag("a", code, href=cases_url(text=value)) if leads else code


def _opened(value: str, at: str | None) -> Child:
    """The link to the trace itself, at whoever keeps traces."""
    if at is None:
        return None
    return " ", tag("a", "open the trace", href=at.replace("{trace}", quote(value, safe="")), rel="noreferrer")


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
