"""Drawn events as the records that a stream would bring."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from sagacity.sources.stream import Batch
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import Event

__all__ = ["batch_of", "iso", "positioned", "record_of"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(instant: int) -> str:
    return (_EPOCH + timedelta(microseconds=instant)).isoformat().replace("+00:00", "Z")


def positioned(workflow: Workflow) -> Workflow:
    """The workflow with positions read from its records."""
    sources = {name: msgspec.structs.replace(source, seq="seq") for name, source in workflow.sources.items()}
    return msgspec.structs.replace(workflow, sources=sources)


def record_of(workflow: Workflow, case: str, event: Event) -> tuple[str, bytes]:
    """The source of an event, and the JSON record that it is read from."""
    declared = workflow.events.get(event.type)
    fields: dict[str, Any] = {"type": event.type, "time": iso(event.time), "case": case, "seq": event.seq}
    if event.id is not None:
        fields |= {"id": event.id, "number": event.id}
    for name, value in event.attributes.items():
        path = "currency" if name.endswith(".currency") else name
        typed = declared.capture[name].type if declared and name in declared.capture else None
        fields[path] = iso(value) if typed == "time" and isinstance(value, int) else _json(value)
    return declared.source if declared else "queue", msgspec.json.encode(fields)


def _json(value: object) -> object:
    return msgspec.Raw(str(value).encode()) if isinstance(value, Decimal) else value


def batch_of(workflow: Workflow, events: Iterable[tuple[str, Event]], start: int = 0) -> list[Batch]:
    """A batch for each source that has any of the events."""
    bodies: dict[str, list[bytes]] = {}
    for case, event in events:
        source, body = record_of(workflow, case, event)
        bodies.setdefault(source, []).append(body)
    return [
        Batch(source=source, part="0", bodies=found, positions=range(start, start + len(found)), resume=start + len(found))
        for source, found in bodies.items()
    ]
