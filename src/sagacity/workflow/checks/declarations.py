"""Errors in what a workflow declares: keys, sources, event types, captured attributes."""

from __future__ import annotations

import zoneinfo
from collections.abc import Collection, Mapping

from sagacity.workflow.checks.notes import Notes
from sagacity.workflow.conditions.record import parse_record
from sagacity.workflow.model import Capture, EventType, Source, Workflow
from sagacity.workflow.spelling import did_you_mean

__all__ = ["RESERVED", "check_declarations"]

RESERVED = ("time", "id", "type", "source", "seq", "case")
"""Names that an attribute cannot have, since every event has something of that name already."""

_FORBIDDEN = "$."
_MOST_DIGITS = 38


def check_declarations(notes: Notes, workflow: Workflow, declared: Collection[str], known: Collection[str]) -> None:
    """Notes errors.

    The workflow's sources are completed by their formats; `declared` are those that its author named, `known` those whose
    format is known.
    """
    if not workflow.name.strip():
        notes.error("workflow", "the workflow has no name", "begin the file with workflow: and a name")
    _check_keys(notes, workflow)
    if not workflow.events:
        notes.error("events", "the workflow declares no event type", "declare at least one under events:")
    records = _Records(notes)
    for name, source in workflow.sources.items():
        _check_source(notes, records, workflow, f"sources.{name}", source)
    for name, event_type in workflow.events.items():
        _check_event(notes, records, workflow, name, event_type)
        if event_type.source not in declared:
            notes.unknown(f"events.{name}.source", "source", event_type.source, declared)
        else:
            _check_found(notes, name, event_type, workflow.sources[event_type.source], event_type.source in known)
    _check_alike(notes, workflow)
    for section in ("begins", "ends"):
        for index, name in enumerate(getattr(workflow, section)):
            if name not in workflow.events:
                notes.unknown(f"{section}[{index}]", "event type", name, workflow.events)
    if workflow.timeout is not None and workflow.timeout <= 0:
        notes.error("timeout", "timeout is zero: every case would end with its first event", "leave it out, or write 30d")


class _Records:
    """Expressions over raw records; each text is parsed once, however many event types share it."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.sound: set[str] = set()

    def check(self, path: str, text: str | None) -> None:
        if text is None or text in self.sound:
            return
        if self.notes.parse(path, parse_record, text) is not None:
            self.sound.add(text)


def _check_keys(notes: Notes, workflow: Workflow) -> None:
    if not workflow.keys:
        notes.error("keys", "the workflow has no correlation key", "write keys: order_id")
    seen: dict[str, str] = {}
    for index, name in enumerate(workflow.keys):
        if name.casefold() in seen:
            notes.error(f"keys[{index}]", f"the key '{name}' stands here a second time", "keep one of the two")
        seen[name.casefold()] = name
        _check_name(notes, f"keys[{index}]", name, "a key")


def _check_source(notes: Notes, records: _Records, workflow: Workflow, path: str, source: Source) -> None:
    for field in ("type", "time", "id"):
        records.check(f"{path}.{field}", getattr(source, field))
    records.check(f"{path}.seq", None if source.seq == "row" else source.seq)
    _check_key(notes, records, workflow, f"{path}.key", source.keys)
    if source.timezone is not None:
        _check_timezone(notes, f"{path}.timezone", source.timezone)


def _check_key(notes: Notes, records: _Records, workflow: Workflow, path: str, keys: Mapping[str, str] | None) -> None:
    for name, expression in (keys or {}).items():
        if name not in workflow.keys:
            notes.unknown(f"{path}.{name}", "key", name, workflow.keys)
        records.check(f"{path}.{name}", expression)


def _check_timezone(notes: Notes, path: str, name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = did_you_mean(name, sorted(zoneinfo.available_timezones()))
        hint = f"did you mean {near}?" if near else "write an IANA name such as Europe/Berlin or UTC"
        notes.error(path, f"there is no time zone '{name}'", hint)


def _check_event(notes: Notes, records: _Records, workflow: Workflow, name: str, event_type: EventType) -> None:
    path = f"events.{name}"
    for field in ("where", "time", "id"):
        records.check(f"{path}.{field}", getattr(event_type, field))
    records.check(f"{path}.seq", None if event_type.seq == "row" else event_type.seq)
    _check_key(notes, records, workflow, f"{path}.key", event_type.keys)
    for attribute, capture in event_type.capture.items():
        _check_capture(notes, records, f"{path}.capture.{attribute}", attribute, capture)


def _check_found(notes: Notes, name: str, event_type: EventType, source: Source, known: bool) -> None:
    """Notes what nothing says about an event type: where its time and its key stand."""
    path = f"events.{name}"
    where = f"to the event type or to the source {event_type.source}"
    if event_type.time is None and source.time is None:
        hint = f"add time: {where}; only jsonl and xes have a place of their own for it, where the source says format:"
        notes.error(f"{path}.time", f"nothing says where the time of {name} stands in a record", hint)
    if not (event_type.keys or source.keys):
        note = notes.error if known else notes.warning
        note(f"{path}.key", f"nothing says where the key of {name} stands in a record", f"add key: {where}")
    if event_type.type is not None and source.type is None:
        hint = f"add type: to the source {event_type.source}, or write where: instead"
        notes.error(f"{path}.type", f"the source of {name} does not say where a record's type stands", hint)


def _check_capture(notes: Notes, records: _Records, path: str, attribute: str, capture: Capture) -> None:
    if attribute.lower() in RESERVED:
        hint = f"call it something else; every event has {', '.join(RESERVED)} of its own"
        notes.error(path, f"an attribute cannot be called '{attribute}'", hint)
    _check_name(notes, path, attribute, "an attribute")
    records.check(f"{path}.value", capture.value)
    records.check(f"{path}.currency", capture.currency)
    if capture.currency is not None and capture.type not in ("decimal", "integer"):
        stated = f"and {attribute} is {capture.type}" if capture.type else f"and {attribute} states no type"
        notes.error(f"{path}.currency", f"only an amount has a currency, {stated}", "add type: decimal")
    if not 1 <= capture.digits <= _MOST_DIGITS or not 0 <= capture.scale <= capture.digits:
        message = f"decimal({capture.digits}, {capture.scale}) cannot be kept"
        notes.error(path, message, f"digits are 1 to {_MOST_DIGITS}, and scale is 0 to as many as digits")


def _check_name(notes: Notes, path: str, name: str, what: str) -> None:
    bad = next((character for character in name if character in _FORBIDDEN or not character.isprintable()), None)
    if bad is not None or not name.strip() or name != name.strip():
        spot = f"has {bad!r} in it" if bad else "begins or ends with a space" if name.strip() else "is empty"
        notes.error(path, f"the name of {what} {spot}: '{name}'", "use letters, digits and underscores")


def _check_alike(notes: Notes, workflow: Workflow) -> None:
    """Engines tell names apart by more than their case, so attributes must too."""
    seen: dict[str, str] = {}
    for name, event_type in workflow.events.items():
        for attribute in event_type.capture:
            other = seen.setdefault(attribute.casefold(), attribute)
            if other != attribute:
                path = f"events.{name}.capture.{attribute}"
                notes.error(
                    path, f"the attributes '{other}' and '{attribute}' differ in case only", f"write {other} in both places"
                )
