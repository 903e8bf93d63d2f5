"""From the body of a request to records. Pure.

| body | records |
|---|---|
| `application/cloudevents-batch+json` | each event of the array |
| binary CloudEvent (`ce-specversion` among the headers) | one, attributes and data put together |
| `application/x-ndjson`, `application/jsonl` | each line that is not blank |
| a JSON array, of whatever content type | each element |
| anything else | one, as it came: a structured CloudEvent, a JSON object, or something unreadable |

A correlation id and a trace in the request's headers (`X-Correlation-ID`, `traceparent`) go with each record that states
none. Whatever comes yields at least one record, so that nothing is handed in without being accounted for.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Sequence

import msgspec

from sagacity.sources.envelope import HTTP, Headers, carrying, is_batch, is_binary, plain, record, split

__all__ = ["MOST_RECORDS", "Taken", "TooLarge", "TooMany", "records", "unpacked"]

MOST_RECORDS = 100_000
"""So many records a body may hold. They are counted before they are taken apart: a small packed body can hold millions."""

_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_COMMAS = 50
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class TooLarge(Exception):  # noqa: N818
    """A body that is larger, unpacked, than is allowed."""


class TooMany(Exception):  # noqa: N818
    """A body of more records than are taken at a time."""


class Taken(msgspec.Struct, frozen=True):
    """The records of a body, and the places of those, from 0, that are no JSON objects."""

    bodies: Sequence[bytes]
    unreadable: tuple[int, ...]


def records(body: bytes, content_type: str, headers: Headers) -> Taken:
    """The records that a body holds. Raises TooMany."""
    if body.count(b",") > _COMMAS * MOST_RECORDS:
        raise TooMany
    held = tuple(headers)
    if is_batch(content_type):
        found = split(body)
    elif is_binary(held, HTTP):
        found = [record(body, held, HTTP)]
    elif content_type.partition(";")[0].strip().lower() in _LINES:
        found = [plain(line) for line in body.split(b"\n") if line.strip()]
    elif plain(body).lstrip()[:1] == b"[":
        found = split(body)
    else:
        found = [plain(body)]
    if not is_binary(held, HTTP):
        found = [carrying(each, held) for each in found]
    if len(found) > MOST_RECORDS:
        raise TooMany
    found = found or [body]
    return Taken(found, tuple(place for place, each in enumerate(found) if not _readable(each)))


def unpacked(body: bytes, most: int) -> bytes:
    """What a gzip body holds, all of its members. Raises TooLarge beyond `most` bytes, ValueError where it is no gzip."""
    if not body:
        return b""
    try:
        whole = gzip.GzipFile(fileobj=io.BytesIO(body)).read(most + 1)
    except EOFError:
        raise ValueError("it is cut short") from None
    except (OSError, zlib.error) as error:
        raise ValueError(str(error)) from None
    if len(whole) > most:
        raise TooLarge
    return whole


def _readable(body: bytes) -> bool:
    try:
        _OBJECT.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    return True
