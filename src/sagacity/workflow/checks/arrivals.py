"""Errors in what a source says of records that arrive live: the topics that bring them, and what is not kept of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sagacity.errors import ConditionError
from sagacity.workflow.checks.notes import Notes
from sagacity.workflow.conditions.record import parse_record, paths
from sagacity.workflow.model import EventType, Source, Workflow
from sagacity.workflow.redaction import place_of

__all__ = ["check_arrivals"]


def check_arrivals(notes: Notes, workflow: Workflow) -> None:
    """Notes errors. The workflow's sources are completed by their formats."""
    for name, source in workflow.sources.items():
        for index, topic in enumerate(source.topics):
            _check_topic(notes, f"sources.{name}.topics[{index}]", topic)
        for index, text in enumerate(source.redact):
            path = f"sources.{name}.redact[{index}]"
            place = notes.parse(path, place_of, text)
            if place is not None and (reader := _reader(workflow, name, source, place)) is not None:
                message = f"{text} is redacted, and {reader} reads it"
                notes.error(path, message, "what is redacted is not kept, so nothing can read it: drop one of the two")


def _check_topic(notes: Notes, path: str, topic: str) -> None:
    if not topic.strip():
        notes.error(path, "the name of a topic is empty", "leave it out, or name a topic")
    elif topic.startswith("^"):
        try:
            re.compile(topic)
        except re.error as error:
            notes.error(path, f"'{topic}' is no pattern of topics: {error}", "what begins with ^ is a regular expression")


def _reader(workflow: Workflow, name: str, source: Source, place: tuple[str, ...]) -> str | None:
    """What reads a place, or something within it, in the words of the file; None where nothing does."""
    for what, text in _expressions(workflow, name, source):
        if text is None or text == "row":
            continue
        try:
            read = paths(parse_record(text))
        except ConditionError:
            continue  # said where it stands
        steps = (tuple(step for step in path.steps if isinstance(step, str)) for path in read)
        if any(each[: len(place)] == place for each in steps):
            return what
    return None


def _expressions(workflow: Workflow, name: str, source: Source) -> Iterator[tuple[str, str | None]]:
    yield from _own(source, f"of the source {name}")
    for event, event_type in workflow.events.items():
        if event_type.source == name:
            yield f"the where of {event}", event_type.where
            yield from _own(event_type, f"of {event}")
            for attribute, capture in event_type.capture.items():
                yield f"{event}.{attribute}", capture.value
                yield f"the currency of {event}.{attribute}", capture.currency


def _own(declared: Source | EventType, of: str) -> Iterator[tuple[str, str | None]]:
    for field in ("time", "id", "seq"):
        yield f"the {field} {of}", getattr(declared, field)
    if isinstance(declared, Source):
        yield f"the type {of}", declared.type
    for key, text in (declared.keys or {}).items():
        yield f"the key {key} {of}", text
