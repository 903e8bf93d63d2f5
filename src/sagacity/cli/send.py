"""`sagacity send`: records to a running server."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated
from urllib.parse import quote

import typer

from sagacity.cli.remote import SERVER, TOKEN, Remote
from sagacity.errors import SourceError

__all__ = ["bodies", "command"]

_LINES = "application/x-ndjson"
_MOST_LINES = 1_000
_MOST_BYTES = 1_000_000


def command(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Files; - for standard input.", show_default=False, allow_dash=True),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            "-s",
            metavar="NAME",
            help="The source that they are records of; needed where there are several.",
            show_default=False,
        ),
    ] = None,
    server: SERVER = None,
    token: TOKEN = None,
) -> None:
    """Hand records to a running server: JSON objects, arrays of them, or one a line; .gz is unpacked.

    Each part is answered once it is durable. What is sent twice is recognised by its ids. Exits with 1 where a record
    was no JSON object: the server accounts for it as rejected.

    \b
    Examples:
      sagacity send order-placed.json
      sagacity send events/*.jsonl.gz --source orders
      generate | sagacity send - --source orders --server https://sagacity.example
    """
    path = "/ingest" if source is None else f"/ingest/{quote(source, safe='')}"
    records = unreadable = 0
    with Remote(server, token) as remote:
        for file in files:
            with _opened(file) as stream, _readable(file):
                for body, content_type in bodies(stream):
                    status, answer = remote.send(path, body, content_type)
                    if status == 422:
                        count = body.count(b"\n") + (not body.endswith(b"\n")) if content_type == _LINES else 1
                        records, unreadable = records + count, unreadable + count
                    else:
                        records, unreadable = records + answer["records"], unreadable + answer["unreadable"]
    typer.echo(f"{records:,} record{'' if records == 1 else 's'} sent")
    if unreadable:
        typer.echo(f"{unreadable:,} of them no JSON object, and so rejected", err=True)
        raise typer.Exit(1)


def bodies(stream: IO[bytes]) -> Iterator[tuple[bytes, str]]:
    """What is sent of a file, and as which content type: lines in parts, a document whole."""
    first = b""
    while not first.strip() and (line := stream.readline()):
        first = line
    rest = stream.readline()
    if not first.strip():
        return
    if not _one_a_line(first):
        yield first + rest + stream.read(), "application/json"
        return
    part, size = [], 0
    for line in _chain(first, rest, stream):
        if not line.strip():
            continue
        part.append(line if line.endswith(b"\n") else line + b"\n")
        size += len(line)
        if len(part) >= _MOST_LINES or size >= _MOST_BYTES:
            yield b"".join(part), _LINES
            part, size = [], 0
    if part:
        yield b"".join(part), _LINES


def _chain(first: bytes, rest: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    yield first
    yield rest
    yield from stream


def _one_a_line(line: bytes) -> bool:
    """Whether a first line is a whole record, so that further lines are further records."""
    import msgspec

    if line.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"[":
        return False
    try:
        msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"), type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Errors of what is in a file, and keeps it from being sent, as a SourceError."""
    try:
        yield
    except EOFError:
        hint = "the records before were sent; send the whole file, copies are recognised by their ids"
        raise SourceError(f"{file} is cut short", hint=hint) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        hint = "look whether it is what its name says; a file that is not packed must not end in .gz"
        raise SourceError(f"cannot unpack {file}: {error}", hint=hint) from None
    except RecursionError:
        hint = "a record is a JSON object of a few levels; look whether this is the right file"
        raise SourceError(f"the first record of {file} is nested too deeply", hint=hint) from None


def _opened(file: Path) -> IO[bytes]:
    if str(file) == "-":
        return sys.stdin.buffer
    try:
        stream = file.open("rb")
    except OSError as error:
        raise SourceError(f"cannot read {file}: {error.strerror}", hint="look at the name, and at who may read it") from None
    return gzip.open(stream, "rb") if file.suffix == ".gz" else stream  # type: ignore[return-value]
