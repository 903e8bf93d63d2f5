"""Records without what is not to be kept of them, before anything of them reaches the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

__all__ = ["Places", "redacted"]

Places: TypeAlias = Sequence[tuple[str, ...]]
"""Places in a record, each the names on the way to it (`sagacity.workflow.redaction`)."""

_REDACTED = msgspec.Raw(b'"[redacted]"')
_EMPTY = (b"null", b"true", b"false")
_UNREADABLE = b"[a record that is no JSON object, of a source with redacted fields]"
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_ENCODER = msgspec.json.Encoder()


def redacted(body: bytes, places: Places) -> bytes:
    """The record without the values at these places; every other value stays as it is written. Of what is no JSON object
    nothing is left."""
    try:
        document = _OBJECT.decode(body)
        for place in places:
            _redact(document, place)
        return _ENCODER.encode(document)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _UNREADABLE


def _redact(document: dict[str, msgspec.Raw], place: tuple[str, ...]) -> None:
    name, *rest = place
    if name in document:
        document[name] = _within(document[name], tuple(rest))
    if (packed := f"{name}_base64") in document:  # the same in CloudEvents, where it is no JSON or no text
        document[packed] = _REDACTED


def _within(raw: msgspec.Raw, place: tuple[str, ...]) -> msgspec.Raw:
    """A value without what lies at a place within it, in each element of an array."""
    if not place:
        return _REDACTED
    first = bytes(raw).lstrip()[:1]
    if first == b"{":
        inner = _OBJECT.decode(raw)
        _redact(inner, place)
        return msgspec.Raw(_ENCODER.encode(inner))
    if first == b"[":
        return msgspec.Raw(_ENCODER.encode([_within(item, place) for item in _LIST.decode(raw)]))
    return raw if bytes(raw).strip() in _EMPTY else _REDACTED
