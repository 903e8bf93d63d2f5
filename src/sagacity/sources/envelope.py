"""From a message as it came to the JSON record that workflows read.

A record is a JSON object. What a message's value holds is passed on byte by byte wherever that is possible, and without
looking into it: numbers keep their digits, and what is no JSON object reaches the ledger as it is, to be rejected there.
Nothing in this module raises for anything that a message may hold.

CloudEvents 1.0 come in three shapes, and leave in one, so that a workflow reads them all alike:

- structured (`application/cloudevents+json`): the value is the event already, as is any other JSON object;
- binary: attributes in headers (`ce_id` on Kafka, `ce-id` over HTTP), `data` alone in the value;
- batched (`application/cloudevents-batch+json`, over HTTP): an array of structured events; see `split`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from sagacity.correlation import extract

__all__ = [
    "HTTP",
    "KAFKA",
    "Binding",
    "Headers",
    "Surroundings",
    "carrying",
    "is_batch",
    "is_binary",
    "plain",
    "record",
    "split",
    "surround",
]

Headers = Iterable[tuple[str, bytes | None]]
"""Names and values as they came; a name may come several times, and then its last value counts."""

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_BATCH = b"application/cloudevents-batch"
_EVENT = b"application/cloudevents"
_JSON_TYPE = re.compile(r"(?i)\s*[^/;\s]+/([^;\s]+\+)?json\s*(;.*)?$", re.DOTALL)
_DATA = ("data", "data_base64", "datacontenttype")
_DECODE = msgspec.json.Decoder(msgspec.Raw).decode
_DECODE_ARRAY = msgspec.json.Decoder(list[msgspec.Raw]).decode
_CARRIED = frozenset({"x-correlation-id", "traceparent"})
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Binding(msgspec.Struct, frozen=True):
    """How a protocol writes the attributes of a binary CloudEvent: what their headers begin with, and how values read."""

    prefix: str
    read: Callable[[bytes], str]


def _text(value: bytes) -> str:
    """Bytes as text; what is no UTF-8 stays to be seen, and stays different: `\\xff`."""
    return value.decode("utf-8", "backslashreplace")


def _unquoted(value: bytes) -> str:
    return _text(unquote_to_bytes(value))


KAFKA = Binding("ce_", _text)
HTTP = Binding("ce-", _unquoted)


class Surroundings(msgspec.Struct, frozen=True):
    """What Kafka knows of a message beside its value. `timestamp` is in milliseconds UTC, None where there is none."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


def plain(value: bytes | None) -> bytes:
    """The record of a value that is not a binary CloudEvent: the value itself, without a byte order mark.

    A tombstone (no value at all) is the empty object: a record of no type, and accounted for as such.
    """
    if value is None:
        return b"{}"
    return value[3:] if value.startswith(_BOM) else value


def is_binary(headers: Headers, binding: Binding) -> bool:
    """Whether headers are those of a binary CloudEvent: they state `specversion`, and no CloudEvents format as content."""
    found = False
    for name, value in headers:
        lower = name.lower()
        if lower == "content-type" and value is not None and value.lstrip()[:23].lower() == _EVENT:
            return False
        found = found or lower == f"{binding.prefix}specversion"
    return found


def is_batch(content_type: str) -> bool:
    """Whether content is a batch of CloudEvents in JSON."""
    return content_type.strip().lower().startswith(_BATCH.decode()) and _JSON_TYPE.match(content_type) is not None


def record(value: bytes | None, headers: Headers, binding: Binding) -> bytes:
    """The record of a message: attributes and data of a binary CloudEvent as one object, anything else as it is.

    Data that is JSON (by its content type; where none is stated, by itself) stands under `data`, other data under
    `data_base64`. Where data is said to be JSON and is not, the value is passed on as it is: it is unreadable.
    """
    held = tuple(headers)
    if not is_binary(held, binding):
        return plain(value)
    attributes: dict[str, object] = {}
    content_type = None
    for name, text in held:
        lower = name.lower()
        if text is None:
            continue
        if lower == "content-type":
            content_type = _text(text)
        elif lower.startswith(binding.prefix) and lower[len(binding.prefix) :] not in _DATA:
            attributes[lower[len(binding.prefix) :]] = binding.read(text)
    if content_type is not None:
        attributes["datacontenttype"] = content_type
    if not value:
        return _object(attributes)
    said = content_type is not None and _JSON_TYPE.match(content_type) is not None
    data = plain(value)
    if said or content_type is None:
        if _is_json(data):
            return b'%b,"data":%b}' % (_object(attributes)[:-1], data)
        if said:
            return value
    return _object(attributes | {"data_base64": base64.b64encode(value).decode()})


def surround(body: bytes, surroundings: Surroundings) -> bytes:
    """The record with an object `kafka` put in front: `{"kafka": {...}, ...}`. What is no object stays as it is.

    Of a field that stands twice the first counts, so that a `kafka` within the value never passes for this one.
    """
    start = len(body) - len(body.lstrip(_BLANK))
    if body[start : start + 1] != b"{":
        return body
    rest = body[start + 1 :]
    comma = b"" if rest.lstrip(_BLANK).startswith(b"}") else b","
    return b'{"kafka":%b%b%b' % (_object(_described(surroundings)), comma, rest)


def carrying(body: bytes, headers: Headers) -> bytes:
    """The record with the correlation id and the trace that its message's headers carry, as the attributes that CloudEvents
    have for them, behind its own: of a field that stands twice the first counts. What is no object stays as it is."""
    if not any(name.lower() in _CARRIED for name, _ in headers):
        return body
    end = body.rstrip(_BLANK)
    if not (end.endswith(b"}") and end.lstrip(_BLANK).startswith(b"{")):
        return body
    found = extract([(name, value) for name, value in headers if value is not None], new_id=str)
    carried = {"correlationid": found.id, "traceparent": found.traceparent, "tracestate": found.tracestate}
    attributes = _object({name: value for name, value in carried.items() if value})
    comma = b"" if attributes == b"{}" or end[:-1].strip(_BLANK) == b"{" else b","
    return b"%b%b%b" % (end[:-1], comma, attributes[1:])


def split(batch: bytes) -> list[bytes]:
    """The records of a JSON array, each as it is written there. What is no array is one record, to be rejected."""
    value = plain(batch)
    try:
        return [bytes(each) for each in _DECODE_ARRAY(value)]
    except _UNREADABLE:
        return [value]


def _object(fields: dict[str, object]) -> bytes:
    """An object as JSON. Names of headers can hold what is no text at all; it stays to be seen, as in values."""
    try:
        return msgspec.json.encode(fields)
    except UnicodeEncodeError:
        return msgspec.json.encode({_sound(name): _sound(value) for name, value in fields.items()})


def _sound(value: Any) -> Any:
    if isinstance(value, dict):
        return {_sound(name): _sound(each) for name, each in value.items()}
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _is_json(value: bytes) -> bool:
    try:
        _DECODE(value)
        value.decode()
    except _UNREADABLE:
        return False
    return True


def _described(surroundings: Surroundings) -> dict[str, object]:
    described: dict[str, object] = {
        "topic": surroundings.topic,
        "partition": surroundings.partition,
        "offset": surroundings.offset,
    }
    if surroundings.timestamp is not None:
        described["timestamp"] = surroundings.timestamp
    if surroundings.key is not None:
        try:
            described["key"] = surroundings.key.decode()
        except UnicodeDecodeError:
            described["key_base64"] = base64.b64encode(surroundings.key).decode()
    if surroundings.headers:
        described["headers"] = {name: None if value is None else _text(value) for name, value in surroundings.headers}
    return described
