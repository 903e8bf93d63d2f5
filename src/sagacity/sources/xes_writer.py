"""What an XML parser tells of an event log, written down event by event as lines of JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO
from xml.parsers import expat

import msgspec

from sagacity.errors import SourceError

__all__ = ["LogWriter"]

_BLOCK = 1 << 20
_TRACE_LIMIT = 50_000
"""After so many events of one trace they are written, and no attribute of the trace may follow."""

_SCALARS = frozenset({"string", "date", "int", "float", "boolean", "id"})
_COLLECTIONS: dict[str, Callable[[], Any]] = {"list": list, "container": dict}


class LogWriter:
    """Feeds on `parser`, writes to `out`. `row` is the row of the next event to be written, `pending` counts those of
    the open trace that are not. `utf8` tells whether the log is written so, `trace_ended` at which byte that the parser was
    given the last trace's end tag begins, -1 before the first.

    Raises SourceError from within `parser.Parse` for what is no event log. Which handler hears of the next element
    says where in the log we are: below the log, below a trace, within an event, or in something that is skipped.
    """

    def __init__(self, out: BinaryIO, name: str, row: int) -> None:
        self.row = row
        self.parser = expat.ParserCreate()
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.XmlDeclHandler = self._declared
        self.utf8 = True
        self.trace_ended = -1
        self._out = out
        self._name = name
        self._encoder = msgspec.json.Encoder()
        self._buffer = bytearray()
        self._depth = 0
        self._trace: dict[str, Any] = {}
        self._event: dict[str, Any] = {}
        self._events: list[dict[str, Any]] = []
        self._written = 0
        self._trace_depth = 0
        self._key = ""
        self._nest: list[tuple[int, str, Any]] = []
        self._floor = 0
        self._enter(self._below_log, 0, self._end_of_log)

    @property
    def pending(self) -> int:
        return len(self._events)

    def flush(self) -> None:
        """Write out what has been gathered."""
        self._out.write(self._buffer)
        self._buffer.clear()

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Write the rows of a trace that the parser has not heard of. They must count on from `row`."""
        self._buffer += self._encoder.encode_lines(rows)
        self.row += len(rows)
        if len(self._buffer) > _BLOCK:
            self.flush()

    def _enter(self, handler: Callable[[str, dict[str, str]], None], floor: int, leave: Callable[[], None]) -> None:
        """Hear of elements by `handler` until the element at depth `floor` ends; then `leave`."""
        self.parser.StartElementHandler = handler
        self._floor = floor
        self._leave = leave

    def _end(self, _: str) -> None:
        if self._depth == self._floor:
            self._leave()
        self._depth -= 1

    def _end_of_log(self) -> None:
        """Nothing is left to do: each trace has been written when it ended."""

    def _below_log(self, tag: str, _: dict[str, str]) -> None:
        self._depth += 1
        kind = _local(tag)
        if self._depth == 1:
            if kind != "log":
                raise SourceError(f"{self._here()}: this is <{tag}>, not an event log (<log>)")
        elif kind == "trace":
            self._trace, self._written, self._trace_depth = {}, 0, self._depth
            self._nest.clear()
            self._enter(self._below_trace, self._depth, self._end_of_trace)
        elif kind == "event":
            self._trace, self._trace_depth = {}, 0
            self._begin_event()
        else:
            self._enter(self._skipped, self._depth, self._end_of_part)

    def _skipped(self, _: str, __: dict[str, str]) -> None:
        self._depth += 1

    def _below_trace(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth != self._floor + 1:
            self._nested(tag, attributes, self._trace)
        elif _local(tag) == "event":
            self._begin_event()
        elif "key" in attributes:
            if self._written:
                what = f"attribute '{attributes['key']}' of a trace stands after {self._written:,} of its events"
                raise SourceError(f"{self._here()}: {what}", hint="XES puts the attributes of a trace before its events")
            self._first("case:" + attributes["key"], tag, attributes, self._trace)

    def _begin_event(self) -> None:
        self._event = {"_line": self.parser.CurrentLineNumber}
        self._nest.clear()
        self._enter(self._within_event, self._depth, self._end_of_event)

    def _within_event(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth != self._floor + 1:
            self._nested(tag, attributes, self._event)
        elif tag in _SCALARS and "key" in attributes:
            self._key = key = attributes["key"]
            self._event[key] = attributes.get("value")
        elif "key" in attributes:
            self._first(attributes["key"], tag, attributes, self._event)

    def _first(self, path: str, tag: str, attributes: dict[str, str], holder: dict[str, Any]) -> None:
        """Take down an attribute of a trace or an event."""
        self._key = path
        holder[path] = _value(tag, attributes)

    def _nested(self, tag: str, attributes: dict[str, str], holder: dict[str, Any]) -> None:
        """Take down an attribute of an attribute. `<values>`, which has no key, only wraps the values of a list."""
        key = attributes.get("key")
        if self._depth == self._floor + 2:
            self._nest[:] = [(self._depth - 1, self._key, holder.get(self._key))]
        while self._nest and self._nest[-1][0] >= self._depth:
            self._nest.pop()
        if key is None or not self._nest:
            return
        _, above, held = self._nest[-1]
        path, value = f"{above}/{key}", _value(tag, attributes)
        if isinstance(held, list):
            held.append(value)
        elif isinstance(held, dict):
            held[key] = value
        else:
            holder[path] = value
        self._nest.append((self._depth, path, value))

    def _end_of_event(self) -> None:
        self._events.append(self._event)
        if self._trace_depth:
            self._enter(self._below_trace, self._trace_depth, self._end_of_trace)
            if len(self._events) >= _TRACE_LIMIT:
                self._write()
        else:
            self._write()
            self._end_of_part()

    def _end_of_trace(self) -> None:
        self.trace_ended = self.parser.CurrentByteIndex
        self._write()
        self._end_of_part()

    def _end_of_part(self) -> None:
        self._enter(self._below_log, 0, self._end_of_log)

    def _write(self) -> None:
        encode, buffer, trace = self._encoder.encode_into, self._buffer, self._trace
        for event in self._events:
            encode({"_row": self.row, **trace, **event}, buffer, len(buffer))
            buffer += b"\n"
            self.row += 1
        self._written += len(self._events)
        self._events.clear()
        if len(buffer) > _BLOCK:
            self.flush()

    def _declared(self, _: str, encoding: str | None, __: int) -> None:
        self.utf8 = encoding is None or encoding.lower() == "utf-8"

    def _refuse(self, *_: object) -> None:
        hint = "an event log needs none: remove <!DOCTYPE …>"
        raise SourceError(f"{self._here()}: a document type declaration is not accepted", hint=hint)

    def _here(self) -> str:
        return f"{self._name}:{self.parser.CurrentLineNumber}"


def _value(tag: str, attributes: dict[str, str]) -> Any:
    make = _COLLECTIONS.get(_local(tag))
    return make() if make is not None else attributes.get("value")


def _local(tag: str) -> str:
    """A tag without its namespace's prefix."""
    return tag.rpartition(":")[2]
