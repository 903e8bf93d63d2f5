"""In and out of headers: HTTP's, gRPC's metadata, Kafka's, and the attributes of CloudEvents.

| carried | header | attribute of CloudEvents | in binary mode, HTTP | in binary mode, Kafka |
|---|---|---|---|---|
| correlation id | `x-correlation-id` | `correlationid` | `ce-correlationid` | `ce_correlationid` |
| trace | `traceparent` | `traceparent` | `ce-traceparent` | `ce_traceparent` |
| trace state | `tracestate` | `tracestate` | `ce-tracestate` | `ce_tracestate` |

Names are compared without regard to case. What comes from outside is never trusted: a value that is not well-formed, too
long, or there twice with different content, is ignored as if it were absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, TypeAlias, TypeVar

from sagacity.correlation.context import Correlation, current, new_id, valid_id
from sagacity.correlation.traceparent import TraceParent, tracestate

__all__ = ["FIELDS", "Carried", "Headers", "attributes", "extract", "fields_of", "headers", "inject"]

Headers: TypeAlias = "Mapping[Any, Any] | Iterable[tuple[Any, Any]] | None"
"""Names and values, as text or bytes. A value that is neither counts as absent."""

Carried = TypeVar("Carried", bound="MutableMapping[str, str] | list[tuple[str, str]]")

FIELDS: dict[str, tuple[str, ...]] = {
    "id": ("x-correlation-id", "correlationid", "ce-correlationid", "ce_correlationid"),
    "traceparent": ("traceparent", "ce-traceparent", "ce_traceparent"),
    "tracestate": ("tracestate", "ce-tracestate", "ce_tracestate"),
}
"""Under which names each is looked for: the first that is there counts. The first name of each is that which is written."""

_LONGEST = 4096


def extract(headers: Headers, *, new_id: Callable[[], str] = new_id) -> Correlation:
    """What headers, metadata or attributes carry; with a new id where they carry none that is well-formed."""
    found = _read(headers)
    ids = set(_first(found, "id"))
    id = ids.pop() if len(ids) == 1 else ""
    parents = _first(found, "traceparent")
    parent = TraceParent.parse(parents[0]) if len(parents) == 1 else None
    return Correlation(
        id if valid_id(id) else new_id(),
        str(parent) if parent else None,
        tracestate(_first(found, "tracestate")) if parent else None,
    )


def inject(headers: Carried) -> Carried:
    """Add what is bound to headers, and return them. What stands there already is left as it is."""
    present = {_text(name).lower() for name in (headers if isinstance(headers, MutableMapping) else dict(headers))}
    for name, value in fields_of(current(), present):
        if isinstance(headers, MutableMapping):
            headers[name] = value
        else:
            headers.append((name, value))
    return headers


def headers() -> dict[str, str]:
    """What is bound, as headers; empty where nothing is."""
    return inject({})


def attributes() -> dict[str, str]:
    """What is bound, as extension attributes of a CloudEvent; empty where nothing is."""
    return {FIELDS["id"][1] if name == FIELDS["id"][0] else name: value for name, value in headers().items()}


def fields_of(correlation: Correlation | None, present: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """The headers of a correlation that are not present. A trace goes as a whole: its state never joins another's parent."""
    if correlation is None:
        return
    absent = {field: names[0] for field, names in FIELDS.items() if names[0] not in present}
    if "id" in absent:
        yield absent["id"], correlation.id
    if "traceparent" in absent and correlation.traceparent is not None:
        yield absent["traceparent"], correlation.traceparent
        if "tracestate" in absent and correlation.tracestate is not None:
            yield absent["tracestate"], correlation.tracestate


def _read(headers: Headers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    for name, value in pairs:
        if isinstance(value, str | bytes) and len(value) <= _LONGEST:
            found.setdefault(_text(name).lower(), []).append(_text(value).strip(" \t"))
    return found


def _first(found: Mapping[str, list[str]], field: str) -> list[str]:
    return next((found[name] for name in FIELDS[field] if name in found), [])


def _text(value: object) -> str:
    # Latin-1 reads any bytes, and what is beyond ASCII is refused later anyway.
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
