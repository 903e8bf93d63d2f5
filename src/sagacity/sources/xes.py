"""Event logs in XES (IEEE 1849-2016), turned into JSON lines as they stream by.

Each event becomes one line. Its members are the event's attributes by key; the trace's attributes as `case:<key>`;
`_row`, the event's position in the log counted from 0; `_line`, the line of the file on which it stands. Every value is
the text that the log holds, so that no amount and no offset of a time is lost. What the log leaves out is left out here:
the defaults of `<global>` declarations are descriptions, not facts, and are not filled in.

Attributes of an attribute stand under `<key>/<nested key>`; a list is a JSON array of its values, a container a JSON
object. Traces of one name are one case. A trace without events is no case, an event outside any trace has none.

The parser is expat, and regular expressions where a log is plain (`xes_plain`): memory for one trace, whatever the size
of the log. Documents with a DTD are refused, since XES has
none, and entities that expand into each other can exhaust the machine.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from sagacity.errors import SourceError, UsageError
from sagacity.sources.inputs import Compression, Files
from sagacity.sources.sniff import unreadable
from sagacity.sources.spool import Spool
from sagacity.sources.xes_feed import LogFeed
from sagacity.sources.xes_writer import LogWriter

__all__ = ["as_jsonl", "read_log"]

_BLOCK = 1 << 20

Read = Callable[[int], None]


def as_jsonl(files: Files, spool: Spool, progress: Read | None = None) -> Files:
    """The same logs as JSON lines in the spool, one file each, `_row` counting on from one to the next.

    `progress` is called now and then with how many bytes of the (uncompressed) logs have been read. Raises SourceError,
    with file and line, for what is not well-formed, not XES, or cut short.
    """
    encoded: list[str] = []
    rows = 0
    done = 0

    def step(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(done)

    for number, (path, compression) in enumerate(zip(files.paths, files.compression, strict=True)):
        target = spool.new(".jsonl")
        with _opened(path, files.name(number), compression) as stream, target.open("wb") as out:
            rows = read_log(stream, out, files.name(number), first_row=rows, progress=step)
        encoded.append(str(target))
    names = tuple(files.name(number) for number in range(len(files.paths)))
    plain: tuple[Compression, ...] = tuple("none" for _ in encoded)
    return Files(tuple(encoded), "jsonl", plain, given=files.given, names=names, held=(spool, files.held))


def read_log(stream: BinaryIO, out: BinaryIO, name: str, *, first_row: int = 0, progress: Read | None = None) -> int:
    """Write each event of a log as a line of JSON, and return the row after the last. Raises SourceError."""
    log = LogWriter(out, name, first_row)
    feed = LogFeed(log)
    size = 0
    try:
        while block := stream.read(_BLOCK):
            size += len(block)
            feed.take(block)
            if progress is not None:
                progress(len(block))
        if not size:
            raise SourceError(f"{name} is empty", hint="an event log in XES holds at least <log></log>")
        feed.end()
    except expat.ExpatError as error:
        raise _broken(error, name, log) from error
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        where = f"{name}:{feed.line}"
        raise SourceError(f"{where}: the compressed file is damaged or cut short: {error}", hint="fetch it again") from error
    log.flush()
    return log.row


def _broken(error: expat.ExpatError, name: str, log: LogWriter) -> SourceError:
    where = f"{name}:{error.lineno}"
    if error.code in _CUT_SHORT:
        events = log.row + log.pending
        return SourceError(
            f"{where}: the log ends in the middle, after {events:,} events", hint="fetch the whole file again"
        )
    return SourceError(f"{where}: not well-formed XML: {expat.ErrorString(error.code)} (column {error.offset + 1})")


_CUT_SHORT = {
    expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
    expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
    expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
}


def _opened(path: str, name: str, compression: Compression) -> BinaryIO:
    try:
        return _OPENERS[compression](path)
    except OSError as error:
        raise unreadable(name, error) from error


def _plain(path: str) -> BinaryIO:
    return Path(path).open("rb")


def _gzip(path: str) -> BinaryIO:
    return gzip.open(path, "rb")  # type: ignore[return-value]


def _zstd(path: str) -> BinaryIO:
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise UsageError(
            f"{path}: XES compressed by zstd needs Python 3.14 or later", hint="unpack it, or compress it as .xes.gz"
        ) from None
    return zstd.open(path, "rb")  # type: ignore[no-any-return, unused-ignore]


_OPENERS: dict[Compression, Callable[[str], BinaryIO]] = {"none": _plain, "gzip": _gzip, "zstd": _zstd}
