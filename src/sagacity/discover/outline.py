"""The workflow without rules: which event types there are, and what is captured of them, as a sample of records shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from sagacity.discover.fields import ENVELOPE, Stated, last_step, plain
from sagacity.ledger.mining import FieldSeen, Sample
from sagacity.workflow.conditions.record import Path, parse_record, paths
from sagacity.workflow.model import Capture, EventType, Source, ValueType, Workflow

__all__ = ["Look", "captures_of", "key_name", "outline"]

_ENVELOPE = ENVELOPE - {"id", "type", "time"}
_RESERVED = {"time", "id", "type", "source", "seq", "case"}
_FEW_VALUES = 50
_EVERYWHERE = 3
"""An attribute that nearly all of many types have says something of the case; it is captured of so many of them. What
XES calls an attribute of the trace is the same on all of them, and captured of one."""


class Look(msgspec.Struct, frozen=True):
    """A source as it was looked at: its sample, what its events are read from, the paths of the keys that it has by their
    names, the types with their counts, the format and path to write, and whether its order is that of its records."""

    sample: Sample
    stated: Stated
    keys: Mapping[str, str]
    types: Mapping[str, int]
    format: str
    path: str | None = None


def outline(name: str, keys: Sequence[str], looks: Mapping[str, Look]) -> Workflow:
    """A workflow that takes everything in and expects nothing. The most frequent event type comes first."""
    counted = sorted(
        ((n, kind, source) for source, look in looks.items() for kind, n in look.types.items()),
        key=lambda each: (-each[0], each[1]),
    )
    events: dict[str, EventType] = {}
    for _, kind, source in counted:
        called = kind if kind not in events else f"{kind} of {source}"
        events[called] = EventType(
            source=source, type=None if called == kind else kind, capture=captures_of(looks[source], kind)
        )
    sources = {source: _source(look) for source, look in looks.items()}
    return Workflow(name=name, keys=tuple(keys), sources=sources, events=events)


def _source(look: Look) -> Source:
    stated = look.stated
    xes = look.format == "xes"
    return Source(
        format=look.format,  # type: ignore[arg-type]
        path=look.path,
        type=stated.type,
        time=stated.time,
        id=stated.id,
        seq="row" if xes else None,
        keys=dict(look.keys),
        timezone=None if stated.zoned else "UTC",
    )


def key_name(path: str) -> str:
    """What a key is called after its path: a plain word."""
    word = re.sub(r"\W+", "_", last_step(path)).strip("_")
    if plain(word) in ("caseconceptname", ""):
        return "case"
    return word if re.match(r"[A-Za-z_]", word) else f"key_{word}"


def captures_of(look: Look, kind: str) -> dict[str, Capture]:
    keyed = {str(path) for text in look.keys.values() for path in paths(parse_record(text))}  # equal by the key itself
    used = {look.stated.type, look.stated.time, look.stated.id, *keyed}
    used |= {"_row", "_line"} if look.format == "xes" else set()  # where an event stands in the log is no attribute of it
    found: dict[str, Capture] = {}
    for field in look.sample.fields:
        if field.path in used or kind not in field.by_type or plain(last_step(field.path)) in _ENVELOPE:
            continue
        if kind not in _bearers(field, look):
            continue
        capture = _capture(field)
        if capture is not None:
            found[_named(field.path, found)] = capture
    return found


def _bearers(field: FieldSeen, look: Look) -> Sequence[str]:
    """The event types of which a field is captured: all that have it, unless it says something of the case."""
    frequent = sorted(look.types, key=lambda kind: (-look.types[kind], kind))
    if look.format == "xes" and last_step(field.path).startswith("case:"):
        return frequent[:1]
    everywhere = len(look.types) > 2 * _EVERYWHERE and len(field.by_type) > 0.8 * len(look.types)
    return frequent[:_EVERYWHERE] if everywhere else frequent


def _capture(field: FieldSeen) -> Capture | None:
    if field.distinct < 2:
        return None
    kind: ValueType = "text"
    if field.booleans == field.records:
        kind = "boolean"
    elif field.numbers == field.records:
        kind = "integer" if field.whole == field.records else "decimal"
    elif field.instants == field.records:
        kind = "time"
    if kind == "text" and field.distinct > _FEW_VALUES and len(field.by_type) < 2:
        return None
    if kind == "decimal" and field.scale > Capture(value="").scale:
        return Capture(value=field.path, type="decimal", scale=min(field.scale, 9))
    return Capture(value=field.path, type=None if kind == "text" else kind)


def _named(path: str, taken: Mapping[str, Capture]) -> str:
    parsed = parse_record(path)
    steps = [str(step) for step in parsed.steps] if isinstance(parsed, Path) else [path]
    for depth in range(1, len(steps) + 1):
        word = re.sub(r"\W+", "_", "_".join(steps[-depth:])).strip("_")
        word = word if re.match(r"[A-Za-z_]", word) else f"a_{word}"
        if word not in taken and word.lower() not in _RESERVED:
            return word
    return f"{word}_{len(taken)}" if word in taken else f"its_{word}"
