"""Reading the declarations of a workflow file: its sources, event types and captured attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sagacity.workflow.language.fields import Field, Fields
from sagacity.workflow.language.nodes import Node
from sagacity.workflow.model import Acceptance, Capture, EventType, Source
from sagacity.workflow.spelling import did_you_mean

__all__ = ["FORMATS", "VALUE_TYPES", "Declarations"]

FORMATS = ("jsonl", "csv", "parquet", "xes", "table")
VALUE_TYPES = ("text", "integer", "decimal", "boolean", "time")

_AS = re.compile(
    r"\s+as\s+(?P<type>[A-Za-z]\w*)\s*(?:\(\s*(?P<digits>\d{1,3})\s*(?:,\s*(?P<scale>\d{1,3})\s*)?\))?\s*$", re.I
)
_OTHER_NAMES = {
    "string": "text", "str": "text", "varchar": "text", "char": "text", "keyword": "text", "uuid": "text",
    "int": "integer", "bigint": "integer", "long": "integer", "number": "decimal", "numeric": "decimal",
    "float": "decimal", "double": "decimal", "real": "decimal", "money": "decimal", "bool": "boolean",
    "timestamp": "time", "datetime": "time", "date": "time", "instant": "time",
}  # fmt: skip


class Declarations:
    """Reads sources and event types. `first_key` is the correlation key that a single `key` expression yields."""

    def __init__(self, fields: Fields, first_key: str) -> None:
        self.fields = fields
        self.first_key = first_key
        expression = fields.expression
        self._source: dict[str, Field] = {
            "format": fields.one_of(*FORMATS),
            "path": fields.words,
            "type": expression,
            "time": expression,
            "id": expression,
            "seq": expression,
            "key": self.key,
            "timezone": fields.words,
            "topics": fields.names,
            "redact": fields.names,
        }
        self._event: dict[str, Field] = {
            "source": fields.words,
            "type": fields.words,
            "where": expression,
            "time": expression,
            "id": expression,
            "seq": expression,
            "key": self.key,
            "capture": self.captures,
            "owner": fields.words,
            "description": fields.words,
        }
        self._accepted: dict[str, Field] = {
            "held": fields.integer,
            "of": fields.integer,
            "until": fields.words,
            "log": fields.words,
            "by": fields.words,
            "date": fields.words,
            "meaning": fields.words,
        }
        self._capture: dict[str, Field] = {
            "value": expression,
            "type": self.value_type,
            "currency": expression,
            "digits": fields.integer,
            "scale": fields.integer,
        }

    def accepted(self, node: Node, path: str) -> dict[str, Acceptance]:
        """Where expectations came from, by their names."""
        found: dict[str, Acceptance] = {}
        for name, below, value in self.fields.entries(
            node, path, "accepted", "write an expectation's name: {held: 98, of: 99}"
        ):
            values = self.fields.mapping(value, below, self._accepted, "an acceptance") or {}
            if {"held", "of"} <= values.keys():
                found[name] = Acceptance(**values)
            elif not any(part in self.fields.settled for part in (below, f"{below}.held", f"{below}.of")):
                self.fields.wrong(value, below, "an acceptance needs held and of", "write {held: 98, of: 99}")
        return found

    def sources(self, node: Node, path: str) -> dict[str, Source]:
        """The sources by name; one that could not be read is there all the same, without what is wrong."""
        found = {}
        for name, below, value in self.fields.entries(node, path, "sources", "write a name, then format, time, id and key"):
            values = {} if value.empty else self.fields.mapping(value, below, self._source, f"the source {name}") or {}
            found[name] = Source(**_renamed(values))
        return found

    def events(self, node: Node, path: str, sources: Mapping[str, Source] | None) -> dict[str, EventType]:
        """The event types by name. Where there is one source, an event type need not name it."""
        only = next(iter(sources)) if sources and len(sources) == 1 else None
        found = {}
        for name, below, value in self.fields.entries(node, path, "events", "write an event type's name, then its capture"):
            values = {} if value.empty else self.fields.mapping(value, below, self._event, f"the event type {name}") or {}
            if "source" not in values and only is None and f"{below}.source" not in self.fields.settled and sources:
                message = f"the event type {name} does not say in which source it is found"
                self.fields.wrong(
                    self.fields.places[below], f"{below}.source", message, f"add source: {' or '.join(sources)}"
                )
            elif "source" not in values and only is None:
                self.fields.settled.add(f"{below}.source")
            found[name] = EventType(**{"source": only or "", **_renamed(values)})
            self._settle(below, found[name].source)
        return found

    def _settle(self, path: str, source: str) -> None:
        """Lets nobody complain that an event type lacks what its source states wrongly."""
        settled = self.fields.settled
        settled.update([f"{path}.{field}" for field in ("time", "key", "type") if f"sources.{source}.{field}" in settled])

    def key(self, node: Node, path: str) -> dict[str, str] | None:
        """One expression for the first correlation key, or a mapping of keys to expressions."""
        if node.kind != "mapping":
            text = self.fields.expression(node, path)
            return None if text is None else {self.first_key: text}
        read = {
            name: self.fields.expression(value, below)
            for name, below, value in self.fields.entries(node, path, "key", "write an expression for each correlation key")
        }
        return {name: text for name, text in read.items() if text is not None}

    def captures(self, node: Node, path: str) -> dict[str, Capture] | None:
        """The captured attributes by name."""
        read = {
            name: self.capture(value, below)
            for name, below, value in self.fields.entries(node, path, "capture", "write a name, then an expression")
        }
        return {name: capture for name, capture in read.items() if capture is not None}

    def capture(self, node: Node, path: str) -> Capture | None:
        """`<expression> as <type>`, or a mapping with value, type, currency, digits and scale."""
        if node.kind == "mapping":
            values = self.fields.mapping(node, path, self._capture, f"the attribute {path.rsplit('.', 1)[-1]}") or {}
            if "value" not in values and f"{path}.value" not in self.fields.settled:
                self.fields.wrong(node, f"{path}.value", "an attribute needs a value", "add value: and an expression")
            return Capture(**values) if "value" in values else None
        text = self.fields.expression(node, path)
        if text is None:
            return None
        stated = _AS.search(text)
        if stated is None:
            return Capture(value=text)
        value_type = self.known_type(node, path, stated["type"], stated.start("type"))
        digits = {name: int(number) for name, number in stated.groupdict().items() if name != "type" and number}
        if digits and "scale" not in digits:
            digits["scale"] = 0
        if digits and value_type != "decimal":
            self.fields.wrong(
                node, path, f"{value_type} takes no digits", "only decimal(digits, scale) does", stated.start("type")
            )
            digits = {}
        stripped: dict[str, Any] = {"value": text[: stated.start()].strip(), "type": value_type, **digits}
        return Capture(**stripped)

    def value_type(self, node: Node, path: str) -> str | None:
        """The name of a type of values."""
        text = self.fields.scalar(node, path, f"one of {', '.join(VALUE_TYPES)}")
        return None if text is None else self.known_type(node, path, text, 0)

    def known_type(self, node: Node, path: str, stated: str, offset: int) -> str:
        """The type that a word names; of one that names none the type that was probably meant, and a problem."""
        if stated.lower() in VALUE_TYPES:
            return stated.lower()
        near = _OTHER_NAMES.get(stated.lower()) or did_you_mean(stated, VALUE_TYPES)
        hint = f"did you mean {near}?" if near else f"the types are {', '.join(VALUE_TYPES)}"
        self.fields.wrong(node, path, f"there is no type {stated!r}", hint, offset)
        return near or "text"


def _renamed(values: dict[str, Any]) -> dict[str, Any]:
    return {("keys" if name == "key" else name): value for name, value in values.items()}
