"""What a format already says about where a record's type, time, id and key stand.

An event log in XES names them by its standard extensions (IEEE 1849-2016: concept and time), a CloudEvent by its
required attributes (CloudEvents 1.0). A source of such a format needs nothing but its format.

Whoever checks a workflow or reads records by it calls `complete` (or, for one source, `with_defaults`) first, so that
checks and intake see the same expressions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from sagacity.workflow.model import Source, Workflow

__all__ = ["SourceFormat", "complete", "with_defaults"]

SourceFormat: TypeAlias = Literal["jsonl", "csv", "parquet", "xes", "table"]

_XES = {"type": '"concept:name"', "time": '"time:timestamp"', "seq": "row"}
_XES_CASE = '"case:concept:name"'
_CLOUD_EVENTS = {"type": "type", "time": "time", "id": "id"}


def with_defaults(source: Source, first_key: str, format: SourceFormat | None = None) -> Source:
    """The source with what its format implies filled in; what the author stated is never touched.

    `first_key` is the name of the workflow's first key. `format` is what the input proved to be, for a source that does
    not state one.

    - XES: each of type, time and seq that is absent; the first key where the source has no keys at all.
    - JSONL: the CloudEvents attributes, only where type, time and id are all absent. A source that states one of them
      has records of its own shape.
    """
    known = source.format or format
    if known == "xes":
        absent = {name: value for name, value in _XES.items() if getattr(source, name) is None}
        keys = source.keys or {first_key: _XES_CASE}
        return msgspec.structs.replace(source, format=known, keys=keys, **absent)
    if known == "jsonl" and source.type is None and source.time is None and source.id is None:
        return msgspec.structs.replace(source, format=known, **_CLOUD_EVENTS)
    return source


def complete(workflow: Workflow, formats: Mapping[str, SourceFormat] | None = None) -> Workflow:
    """The workflow with every source completed by `with_defaults`, also those that only its event types name.

    `formats` holds what the inputs proved to be, by source. A JSONL source is left alone when each event type found in it
    states a time of its own and none a type: one record then holds several events, and is no CloudEvent.
    """
    found = formats or {}
    names = dict.fromkeys([*workflow.sources, *(event.source for event in workflow.events.values())])
    completed: dict[str, Source] = {}
    for name in names:
        source = workflow.sources.get(name, Source())
        known = source.format or found.get(name)
        leave = known == "jsonl" and _wide(workflow, name)
        completed[name] = source if leave else with_defaults(source, workflow.keys[0], known)
    return msgspec.structs.replace(workflow, sources=completed)


def _wide(workflow: Workflow, source: str) -> bool:
    found_here = [event for event in workflow.events.values() if event.source == source]
    return bool(found_here) and all(event.time is not None and event.type is None for event in found_here)
