"""What services send each other: a CloudEvent with a key, a correlation and a trace. Immutable.

On the wire it is a CloudEvent 1.0 in binary mode: its attributes are headers, its data the body.
"""

from __future__ import annotations

import msgspec

__all__ = ["Envelope", "Message"]


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message, as its sender made it.

    `id` is the sender's and unique within `source`: whoever gets two with the same id and source has got one twice.
    `key` is what order is kept by: messages of one topic with the same key arrive in the order in which they were published.
    `time` is when the fact came about, in microseconds since 1970, UTC. `data` is a JSON document (UTF-8).
    `cause` is the id of the message that made its sender send this one: a reply's is its command's id.
    `reply_to` names the topic in which an answer is awaited. `extensions` are further CloudEvents attributes, by name.
    """

    id: str
    type: str
    source: str
    time: int
    key: str
    data: bytes = b"null"
    subject: str | None = None
    correlation_id: str | None = None
    cause: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    reply_to: str | None = None
    extensions: tuple[tuple[str, str], ...] = ()


class Message(msgspec.Struct, frozen=True):
    """An envelope, and the topic for which it is meant."""

    topic: str
    envelope: Envelope
