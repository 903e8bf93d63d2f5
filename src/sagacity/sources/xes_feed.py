"""The bytes of an event log on their way to its writer: plain traces go there at once, all else by the parser."""

from __future__ import annotations

from sagacity.sources.xes_plain import END, plain_trace
from sagacity.sources.xes_writer import LogWriter

__all__ = ["LogFeed"]

_LONGEST = 1 << 20
"""A trace of more bytes is not waited for."""


class LogFeed:
    """Takes blocks of a log in turn.

    After the end of a trace, and only there, the next one may be plain. That it is the end the parser has to say, since
    `</trace>` may also stand in a comment. Of plain traces the parser hears no more than lines and columns, as white
    space, so that its messages name the right place. Raises what the parser and the writer raise.
    """

    def __init__(self, log: LogWriter) -> None:
        self._log = log
        self._rest = b""
        self._fed = 0
        self._between = False
        self._line = 1
        self._lines = 0
        self._columns = 0

    @property
    def line(self) -> int:
        """The line that reading has come to, counted from 1."""
        return self._line if self._between else self._log.parser.CurrentLineNumber

    def take(self, block: bytes) -> None:
        data = self._rest + block if self._rest else block
        at = 0
        while True:
            if self._between:
                at = self._plain(data, at)
            end = data.find(END, at)
            if end < 0:
                break
            self._parse(data[at : end + len(END)])
            at = end + len(END)
            self._between = self._log.utf8 and self._log.trace_ended == self._fed - len(END)
            self._line = self._log.parser.CurrentLineNumber
        self._rest = data[at:]
        if not self._between or len(self._rest) > _LONGEST:
            self._parse(self._rest)
            self._rest = b""
            self._between = False

    def end(self) -> None:
        """No more blocks follow."""
        self._parse(self._rest)
        self._rest = b""
        self._log.parser.Parse(b"", True)

    def _plain(self, data: bytes, at: int) -> int:
        """Take the plain traces from here on; the place after them."""
        log = self._log
        while (trace := plain_trace(data, at, log.row, self._line)) is not None:
            log.add(trace.rows)
            at = trace.end
            self._line += trace.lines
            self._lines += trace.lines
            self._columns = trace.columns if trace.lines else self._columns + trace.columns
        return at

    def _parse(self, data: bytes) -> None:
        if self._lines or self._columns:
            data = b"\n" * self._lines + b" " * self._columns + data
            self._lines = self._columns = 0
        if data:
            self._fed += len(data)
            self._log.parser.Parse(data, False)
