"""Messages out: written in the transaction that is their cause, and sent by the relay once that is committed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

import msgspec
from psycopg import AsyncConnection

from sagacity.messaging.envelope import Envelope, Message
from sagacity.messaging.wire import encode

__all__ = ["BUCKETS", "bucket_of", "read_envelope", "send", "write_envelope"]

BUCKETS = 64
"""Keys are divided into so many buckets; the messages of one bucket are sent by one relay at a time."""


_SEND = """
with sent as (
    insert into sagacity.outbox (bucket, topic, key, id, envelope)
    select * from unnest(%b::smallint[], %b::text[], %b::text[], %b::text[], %b::bytea[])
)
select pg_notify('sagacity_outbox', '')
"""

write_envelope = msgspec.msgpack.Encoder().encode
read_envelope = msgspec.msgpack.Decoder(Envelope).decode


def bucket_of(topic: str, key: str) -> int:
    """The bucket of a key in a topic."""
    return crc32(f"{topic}/{key}".encode()) % BUCKETS


async def send(connection: AsyncConnection[Any], messages: Sequence[Message]) -> None:
    """Have these sent if the connection's transaction is committed, and not at all if it is not.

    Each is sent at least once; those of one topic and key in the order in which they were given, across transactions too
    where one has waited for the other (by a row that both lock). Raises MessagingError for an envelope that cannot travel.
    """
    if not messages:
        return
    for message in messages:
        encode(message.envelope)
    await connection.execute(
        _SEND,
        (
            [bucket_of(message.topic, message.envelope.key) for message in messages],
            [message.topic for message in messages],
            [message.envelope.key for message in messages],
            [message.envelope.id for message in messages],
            [write_envelope(message.envelope) for message in messages],
        ),
    )
