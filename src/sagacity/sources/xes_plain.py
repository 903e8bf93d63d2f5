"""Traces of an event log that are written as plainly as can be, read by a regular expression.

Nearly all of a log consists of them: `<trace>` with attributes and then events, each attribute `<string key="…"
value="…"/>` without anything within, no text but white space, no entity and no comment. What matches is well-formed, and
means what the parser would make of it; what does not is left to the parser, which takes some ten times as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

__all__ = ["END", "PlainTrace", "plain_trace"]

END = b"</trace>"

# Nothing here can match in two ways, so no quantifier needs to give back what it took (`*+`). Quoted text leaves out what
# would have to be looked at: entities, and the control characters, some of which are blanks there and others not allowed.
_BLANK = rb"[ \t\r\n]*+"
_TEXT = rb'"[^"<&\x00-\x1f]*+"'
_ATTRIBUTES = (
    rb"(?:" + _BLANK + rb"<(?:string|date|int|float|boolean|id) key=" + _TEXT + rb" value=" + _TEXT + _BLANK + rb"/>)*+"
)
_EVENTS = rb"(?:<event(?:/>|>" + _ATTRIBUTES + _BLANK + rb"</event>)" + _BLANK + rb")*+"
_match = re.compile(_BLANK + rb"<trace>(" + _ATTRIBUTES + rb")" + _BLANK + rb"(" + _EVENTS + rb")</trace>").match


class PlainTrace(msgspec.Struct, gc=False):
    """The rows of a trace's events; where it ends, counted in bytes; and how many lines and then columns on that is."""

    rows: list[dict[str, Any]]
    end: int
    lines: int
    columns: int


def plain_trace(data: bytes, start: int, row: int, line: int) -> PlainTrace | None:
    """The trace that follows, after white space, at `start`; None where it is not a plain and whole one.

    `row` is the row of its first event, `line` the line on which `start` lies. The bytes must be UTF-8.
    """
    found = _match(data, start)
    if found is None:
        return None
    end = found.end()
    if _has_strange_lines(data, start, end):
        return None
    try:
        attributes, events = (part.decode() for part in found.groups())
    except UnicodeDecodeError:
        return None
    if not (attributes.isascii() and events.isascii()) and _NO_CHARACTER(attributes + events):
        return None
    # Quotes stand around texts alone, so that every second piece between them is one: a key, a value, and so on.
    pieces = attributes.split('"')
    trace = {"case:" + key: value for key, value in zip(pieces[1::4], pieces[3::4], strict=True)}
    rows: list[dict[str, Any]] = []
    at = line + data.count(b"\n", start, found.start(2))
    for event in events.split("<event")[1:]:
        entry: dict[str, Any] = {"_row": row, **trace, "_line": at}
        pieces = event.split('"')
        entry.update(zip(pieces[1::4], pieces[3::4], strict=True))
        rows.append(entry)
        row += 1
        at += event.count("\n")
    return PlainTrace(rows, end, at - line, end - max(start, data.rfind(b"\n", start, end) + 1))


def _has_strange_lines(data: bytes, start: int, end: int) -> bool:
    """Whether lines end in a way in which counting them is not counting `\\n`."""
    returns = data.count(b"\r", start, end)
    return returns != 0 and returns != data.count(b"\r\n", start, end)


_NO_CHARACTER: Callable[[str], re.Match[str] | None] = re.compile("[\ufffe\uffff]").search
"""What UTF-8 can write and XML does not allow."""
