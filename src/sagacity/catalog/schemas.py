"""The fields of an event's payload, as JSON Schema (or Avro) declares them; schemas that stand by themselves."""

from __future__ import annotations

import posixpath

from sagacity.catalog.fact import Attribute, Fact
from sagacity.catalog.part import Part

__all__ = ["MOST_FIELDS", "attributes_of", "constant_of", "event_named", "is_schema", "schema_facts"]

MOST_FIELDS = 5_000
"""So many fields of a payload are read; what is not among so many may be declared all the same."""

_DEEPEST = 16
_ROUNDS = 3
"""What refers to itself is followed so often."""


def is_schema(part: Part) -> bool:
    """Whether a document is a JSON Schema of an object."""
    return "json-schema" in (part.text("$schema") or "") or bool(part.at("properties"))


def schema_facts(part: Part, document: str) -> list[Fact]:
    """The event type that a JSON Schema describes: called as its `type` field must read, else by its title, id or file."""
    stem = posixpath.basename(document).partition(".")[0]
    identity = posixpath.basename((part.text("$id") or "").rstrip("/#")).partition(".")[0]
    names = [constant_of(part, "type"), part.text("x-event-type"), part.text("title"), identity, stem]
    owners = (*part.texts("x-owner"), *part.texts("x-team"))
    return [
        Fact(
            document=document,
            kind="schema",
            names=tuple(dict.fromkeys(name for name in names if name))[:2],
            description=part.text("description"),
            owners=owners[:1],
            keys=part.texts("x-correlation-key"),
            attributes=attributes_of(part),
        )
    ]


def event_named(part: Part) -> bool:
    """Whether a schema says itself which events it describes."""
    return (constant_of(part, "type") or part.text("x-event-type")) is not None


def constant_of(part: Part, name: str) -> str | None:
    """The one value that a field may have."""
    field = part.at("properties", name)
    (only,) = field.texts("enum") if len(field.texts("enum")) == 1 else (None,)
    return field.text("const") or only


def attributes_of(part: Part) -> tuple[Attribute, ...]:
    """The fields of a payload, nested ones by their path; of a CloudEvent those of its data."""
    inner = part.at("properties", "data")
    whole = inner if inner and part.at("properties", "specversion") else part
    found: dict[str, Attribute] = {}
    _gather(whole, "", found, (), True)
    return tuple(found.values())


def _gather(part: Part, before: str, found: dict[str, Attribute], above: tuple[int, ...], needed: bool) -> None:
    """`above` are the schemas on the way to this one."""
    if len(above) > _DEEPEST or above.count(id(part.value)) >= _ROUNDS or not part:
        return
    above = (*above, id(part.value))
    for each in (*part.at("allOf").elements(), *part.at("oneOf").elements(), *part.at("anyOf").elements()):
        _gather(each, before, found, above, needed)
    required = set(part.texts("required"))
    fields = part.at("properties").entries() or [(each.text("name") or "", each) for each in part.at("fields").elements()]
    for name, field in fields:
        if not name or len(found) >= MOST_FIELDS:
            continue
        path = f"{before}{name}"
        must = needed and (name in required or (bool(part.at("fields")) and not _optional(field)))
        found.setdefault(path, Attribute(path, _type(field), must))
        _gather(field, f"{path}.", found, above, must)
        _gather(field.at("items"), f"{path}[].", found, above, must)
        if isinstance(field.value, dict) and isinstance(field.value.get("type"), dict):  # Avro nests types
            _gather(field.at("type"), f"{path}.", found, above, must)


def _optional(field: Part) -> bool:
    return "null" in field.texts("type") or "default" in (field.value if isinstance(field.value, dict) else ())


def _type(field: Part) -> str:
    kind = " or ".join(field.texts("type")) or field.text("type", "type") or ("constant" if field.at("const") else "")
    form = field.text("format") or field.text("logicalType") or field.text("type", "logicalType")
    if form:
        return f"{kind} ({form})" if kind else form
    return kind or ("one of several" if field.at("enum") or field.at("oneOf") or field.at("anyOf") else "any")
