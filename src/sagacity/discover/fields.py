"""Which field of raw records says what: the type, the time, the id, the correlation key. By names that are usual, and by
what stands in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from sagacity.errors import UsageError
from sagacity.ledger.mining import FieldSeen, Sample
from sagacity.workflow.conditions.record import Path, parse_record

__all__ = ["ENVELOPE", "Stated", "event_fields", "eventful", "key_field", "last_step", "maker_field", "plain"]

ENVELOPE = frozenset({
    "id", "type", "time", "specversion", "datacontenttype", "dataschema", "traceparent", "tracestate", "subject", "source",
    "partitionkey", "lifecycletransition",
})  # fmt: skip
"""What the envelope of an event says, such as that of a CloudEvent, beside the payload."""

_TYPES = ("type", "eventtype", "event", "eventname", "activity", "conceptname", "action", "kind", "status", "name")
_TIMES = (
    "time", "timetimestamp", "timestamp", "eventtime", "occurredat", "happenedat", "at", "ts", "datetime",
    "createdat", "date",
)  # fmt: skip
_IDS = ("id", "eventid", "messageid", "uuid", "guid")
_MAKERS = ("source", "producer", "service", "servicename", "application", "app", "origin")
_MOSTLY = 0.95
_MOST_TYPES = 500
_ALWAYS_FEW = 20
_DEEP = 3


class Stated(msgspec.Struct, frozen=True):
    """Paths of a source's records: what each event's type, time and id are read from. `zoned`: times state their offset."""

    type: str
    time: str
    id: str | None
    zoned: bool = True


def event_fields(sample: Sample, stated_type: str | None, stated_time: str | None, stated_id: str | None) -> Stated:
    """The fields that make an event of a record; what is stated goes before what is guessed. Raises UsageError."""
    fields = [field for field in sample.fields if field.records >= _MOSTLY * sample.records]
    time = stated_time or _named(fields, _TIMES, _is_time) or _only(fields, _is_time)
    if time is None:
        raise UsageError("no field of the records looks like the time of an event", hint=_say("--time", sample))
    kind = stated_type or _named([field for field in fields if field.path != time], _TYPES, _is_type)
    if kind is None:
        raise UsageError("no field of the records looks like the type of an event", hint=_say("--type", sample))
    identity = stated_id or _named([field for field in fields if field.path not in (time, kind)], _IDS, _is_id)
    seen = next((field for field in sample.fields if field.path == time), None)
    return Stated(kind, time, identity, seen is None or seen.zoned >= seen.records * _MOSTLY)


def key_field(sample: Sample, key: str) -> str | None:
    """The path that a key's name stands for: the path itself, or the one that ends in it, or as it does. None where there is
    none.

    Raises UsageError where several do.
    """
    paths = [field.path for field in sample.fields]
    if key in paths:
        return key
    ends = [path for path in paths if last_step(path).lower() == key.lower()]
    ends = ends or [path for path in paths if plain(last_step(path)) == plain(key)]
    ends = ends or [path for path in paths if plain(last_step(path)) == plain(key.rpartition(".")[2])]
    if len(ends) > 1:
        raise UsageError(f"'{key}' could be {' or '.join(ends)}", hint=f"write --case {ends[0]}")
    return ends[0] if ends else None


def maker_field(sample: Sample, stated: Stated) -> str | None:
    """The field that names who makes an event, such as the `source` of a CloudEvent; None where there is none."""
    fields = [field for field in sample.fields if field.path not in (stated.type, stated.time, stated.id)]
    return _named(fields, _MAKERS, _is_type)


def eventful(tree: object, stated: Iterable[str] = ()) -> bool:
    """Whether JSON looks like an event, or an array of them: it has a field that is called as times are, and one that is
    called as types are; where paths are stated, fields of these last names."""
    wanted = [{plain(last_step(path))} for path in stated] or [set(_TIMES), set(_TYPES)]
    first = tree[0] if isinstance(tree, list) and tree else tree
    names, ahead = set(), [(first, 0)]
    while ahead:
        node, depth = ahead.pop()
        if isinstance(node, dict):
            names |= {plain(str(name)) for name in node}
            ahead += [(inner, depth + 1) for inner in node.values() if depth < _DEEP]
    return all(names & each for each in wanted)


def last_step(path: str) -> str:
    """The name that a path ends in."""
    parsed = parse_record(path)
    names = [step for step in parsed.steps if isinstance(step, str)] if isinstance(parsed, Path) else []
    return names[-1] if names else path


def plain(name: str) -> str:
    """A name without case and marks, so that `eventType` and `event_type` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _named(fields: Iterable[FieldSeen], names: tuple[str, ...], fits: Callable[[FieldSeen], bool]) -> str | None:
    candidates = [field for field in fields if plain(last_step(field.path)) in names and fits(field)]
    order = {name: place for place, name in enumerate(names)}
    candidates.sort(key=lambda field: (_depth(field.path), order[plain(last_step(field.path))]))
    return candidates[0].path if candidates else None


def _only(fields: Iterable[FieldSeen], fits: Callable[[FieldSeen], bool]) -> str | None:
    found = [field.path for field in fields if fits(field) and field.numbers == 0]
    return found[0] if len(found) == 1 else None


def _depth(path: str) -> int:
    parsed = parse_record(path)
    return len(parsed.steps) if isinstance(parsed, Path) else 0


def _is_time(field: FieldSeen) -> bool:
    return field.instants >= _MOSTLY * field.records


def _is_type(field: FieldSeen) -> bool:
    few = field.distinct <= min(_MOST_TYPES, max(field.records // 2, _ALWAYS_FEW))
    return few and field.instants < field.records / 2 and field.numbers < field.records / 2


def _is_id(field: FieldSeen) -> bool:
    return field.distinct >= 0.8 * field.records and field.records > 1


def _say(option: str, sample: Sample) -> str:
    listed = ", ".join(field.path for field in sample.fields[:12])
    return f"say which with {option}; there are {listed}" if listed else "the records have no fields at all"
