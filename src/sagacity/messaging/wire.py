"""Envelopes as they travel: CloudEvents 1.0 in binary mode, as its Kafka protocol binding has it. Pure.

The message's key is the envelope's key, its value the data (JSON), and attributes are headers:

| envelope | header |
|---|---|
| `id`, `type`, `source`, `subject` | `ce_id`, `ce_type`, `ce_source`, `ce_subject` |
| `time` | `ce_time`, RFC 3339 with microseconds, UTC |
| `correlation_id` | `ce_correlationid` |
| `cause` | `ce_causationid` |
| `traceparent`, `tracestate` | `ce_traceparent`, `ce_tracestate`; read also without the prefix |
| `reply_to` | `ce_replyto` |
| `extensions` | `ce_` and their name |

`decode` is total: whatever comes that is no such message is Unreadable, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from sagacity.errors import MessagingError
from sagacity.messaging.envelope import Envelope
from sagacity.messaging.subscriber import Unreadable

__all__ = ["Wire", "decode", "encode"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_JSON = b"application/json"
_FIXED = (("ce_specversion", b"1.0"), ("content-type", _JSON))
_REQUIRED = ("id", "type", "source")
_OPTIONAL = {
    "subject": "subject",
    "correlationid": "correlation_id",
    "causationid": "cause",
    "traceparent": "traceparent",
    "tracestate": "tracestate",
    "replyto": "reply_to",
}
_WRITTEN = tuple((f"ce_{attribute}", field) for attribute, field in _OPTIONAL.items())
_RESERVED = frozenset((*_REQUIRED, *_OPTIONAL, "time", "specversion", "data", "datacontenttype"))
_NAME = re.compile(r"[a-z0-9]+")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_IS_JSON = re.compile(rb"(?i)\s*[^/;\s]+/([^;\s]+\+)?json\s*(;.*)?", re.DOTALL)
_CHECK = msgspec.json.Decoder(msgspec.Raw).decode


class Wire(msgspec.Struct, frozen=True):
    """A message as a broker keeps it."""

    key: bytes
    headers: tuple[tuple[str, bytes], ...]
    value: bytes


def encode(envelope: Envelope) -> Wire:
    """The envelope as it travels. Raises MessagingError for one that cannot: it would not come back as it is."""
    for attribute in _REQUIRED:
        if not getattr(envelope, attribute):
            raise MessagingError(f"an envelope needs its {attribute}", hint=f"id {envelope.id!r}, type {envelope.type!r}")
    if not envelope.data:
        raise MessagingError(f"the data of the envelope {envelope.id!r} is empty", hint="data is JSON; nothing is b'null'")
    headers = [*_FIXED]
    try:
        for attribute in _REQUIRED:
            headers.append((f"ce_{attribute}", getattr(envelope, attribute).encode()))
        headers.append(("ce_time", (_EPOCH + timedelta(microseconds=envelope.time)).isoformat().encode()))
        for header, field in _WRITTEN:
            value = getattr(envelope, field)
            if value is not None:
                headers.append((header, value.encode()))
        for name, value in envelope.extensions:
            if name in _RESERVED or not _NAME.fullmatch(name):
                raise MessagingError(f"'{name}' cannot name an extension", hint="lower-case letters and digits, not taken")
            headers.append((f"ce_{name}", value.encode()))
        return Wire(envelope.key.encode(), tuple(headers), envelope.data)
    except (UnicodeEncodeError, OverflowError) as error:
        raise MessagingError(f"the envelope {envelope.id!r} cannot be put on the wire: {error}") from None


def decode(
    key: bytes | None, headers: Iterable[tuple[str, bytes | None]], value: bytes | None, sent: int | None = None
) -> Envelope | Unreadable:
    """What a message holds. `sent` is the broker's own time of it in microseconds, for a message that states none."""
    held = tuple((name, content) for name, content in headers if content is not None)
    try:
        return _decoded(key, held, value, sent)
    except (ValueError, OverflowError, RecursionError) as error:  # UnicodeDecodeError and msgspec's are ValueErrors
        return Unreadable(key=key, value=value, headers=held, reason=str(error) or type(error).__name__)


def _decoded(key: bytes | None, headers: tuple[tuple[str, bytes], ...], value: bytes | None, sent: int | None) -> Envelope:
    attributes: dict[str, str] = {}
    traces: dict[str, str] = {}
    for name, content in headers:
        lower = name.lower()
        if lower.startswith("ce_"):
            attributes[lower[3:]] = _text(lower, content)
        elif lower == "content-type":
            if content != _JSON and not _IS_JSON.fullmatch(content):
                raise ValueError(f"its content type is {content.decode(errors='replace')!r}, and not JSON")
        elif lower in ("traceparent", "tracestate"):
            traces[lower] = content.decode(errors="replace")
    version = attributes.pop("specversion", None)
    if version is None:
        raise ValueError("it has no header ce_specversion: it is no CloudEvent in binary mode")
    if not version.startswith("1."):
        raise ValueError(f"it is a CloudEvent of version {version!r}; 1.0 can be read")
    for attribute in _REQUIRED:
        if not attributes.get(attribute):
            raise ValueError(f"it has no header ce_{attribute}")
    time = _microseconds(attributes.pop("time")) if "time" in attributes else sent
    if time is None:
        raise ValueError("it has no header ce_time, and the broker tells no time of it")
    data = value or b"null"
    try:
        _CHECK(data)
        data.decode()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"its data is not JSON: {error}") from None
    fields = {field: attributes.pop(name, traces.get(name)) for name, field in _OPTIONAL.items()}
    required = {name: attributes.pop(name) for name in _REQUIRED}
    extensions = tuple((name, text) for name, text in attributes.items() if name != "datacontenttype")
    return Envelope(**required, **fields, time=time, key=_text("key", key or b""), data=data, extensions=extensions)  # type: ignore[arg-type]


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"its {name} is no UTF-8: {content[:40]!r}") from None


def _microseconds(text: str) -> int:
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"its ce_time {text[:40]!r} is no time of RFC 3339")
    return (datetime.fromisoformat(text.upper()) - _EPOCH) // _MICROSECOND
