"""What could not be done: kept with the reason, until somebody has it done again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg import AsyncConnection

from sagacity.errors import UsageError
from sagacity.messaging.envelope import Envelope, Message
from sagacity.messaging.postgres.outbox import read_envelope, send, write_envelope
from sagacity.messaging.subscriber import Delivery, Unreadable

__all__ = ["DeadLetter", "as_message", "bury", "count", "listed", "redrive"]

_BURY = """
insert into sagacity.dead_letters (consumer, topic, partition, "offset", reason, envelope, key, value, headers)
values (%s, %s, %s, %s, %s, %b, %b, %b, %b) returning id
"""
_LISTED = """
select id, consumer, topic, partition, "offset", reason, envelope, key, value, since, redriven, redriven_by
from sagacity.dead_letters
where (%(consumer)s::text is null or consumer = %(consumer)s) and (%(all)s or redriven is null) and id > %(after)s
order by id limit %(most)s
"""
_TAKE = """
select id, topic, envelope from sagacity.dead_letters where id = any(%s) and redriven is null order by id for update
"""
_DONE = "update sagacity.dead_letters set redriven = now(), redriven_by = %s where id = any(%s)"
_COUNT = "select consumer, count(*) from sagacity.dead_letters where redriven is null group by consumer"

_headers = msgspec.msgpack.Encoder().encode


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that could not be done. `envelope` is None where it could not even be read: then key and value are as they
    came. `redriven` is when it was given again, None while it waits."""

    id: int
    consumer: str
    topic: str
    partition: int | None
    offset: int | None
    reason: str
    envelope: Envelope | None
    key: bytes | None
    value: bytes | None
    since: datetime
    redriven: datetime | None
    redriven_by: str | None


async def bury(connection: AsyncConnection[Any], consumer: str, delivery: Delivery, reason: str) -> int:
    """Keep what could not be done, in the connection's transaction; its number."""
    content = delivery.content
    place = (consumer, delivery.topic, delivery.partition, delivery.offset, _kept(reason))
    if isinstance(content, Unreadable):
        kept: tuple[bytes | None, ...] = (None, content.key, content.value, _headers(content.headers))
    else:
        kept = (write_envelope(content), content.key.encode(), content.data, None)
    row = await (await connection.execute(_BURY, (*place, *kept))).fetchone()
    assert row is not None
    return int(row[0])


def as_message(topic: str, consumer: str, delivery: Delivery, reason: str, now: int) -> Message:
    """What tells others of it, for a topic of dead letters. `now` is in microseconds since 1970, UTC."""
    content = delivery.content
    where = f"{delivery.topic}/{delivery.partition}/{delivery.offset}"
    told: dict[str, object] = {"consumer": consumer, "topic": delivery.topic, "reason": reason}
    told |= {"partition": delivery.partition, "offset": delivery.offset}
    if isinstance(content, Unreadable):
        told |= {"key_base64": content.key, "value_base64": content.value, "headers": content.headers}
        return Message(topic, _notice(f"{consumer}/{where}", now, (content.key or b"").decode(errors="replace"), told))
    told |= {"id": content.id, "source": content.source, "type": content.type, "data": msgspec.Raw(content.data)}
    # What was handed over within a process has no place of its own.
    notice = _notice(f"{consumer}/{where}/{content.id}", now, content.key, told)
    return Message(
        topic,
        msgspec.structs.replace(
            notice, correlation_id=content.correlation_id, cause=content.id, traceparent=content.traceparent
        ),
    )


async def listed(
    connection: AsyncConnection[Any],
    *,
    consumer: str | None = None,
    redriven: bool = False,
    after: int = 0,
    most: int = 100,
) -> Sequence[DeadLetter]:
    """Dead letters in the order of their numbers, those `after` one; with those that were given again, or without."""
    given = {"consumer": consumer, "all": redriven, "after": after, "most": most}
    rows = await (await connection.execute(_LISTED, given)).fetchall()
    return [
        DeadLetter(*row[:6], None if row[6] is None else read_envelope(row[6]), *row[7:])  # type: ignore[call-arg]
        for row in rows
    ]


async def redrive(connection: AsyncConnection[Any], numbers: Sequence[int], by: str) -> int:
    """Send these again to the topics that they came from, by the outbox; how many. Those that were sent again before, or are
    not there, are left out. Whoever has done one before knows it by its source and id, and does it not again.

    Raises UsageError for one that could not be read: it would not be readable then either.
    """
    rows = await (await connection.execute(_TAKE, (list(numbers),))).fetchall()
    if unreadable := [str(number) for number, _, envelope in rows if envelope is None]:
        raise UsageError(
            f"dead letter {', '.join(unreadable)}: it is no envelope, and would not be one if it were sent again",
            hint="have its sender send it anew, in the form of a CloudEvent in binary mode",
        )
    await send(connection, [Message(topic, read_envelope(envelope)) for _, topic, envelope in rows])
    await connection.execute(_DONE, (by, [number for number, _, _ in rows]))
    return len(rows)


async def count(connection: AsyncConnection[Any]) -> dict[str, int]:
    """How many wait, by consumer."""
    return dict(await (await connection.execute(_COUNT)).fetchall())


def _notice(id: str, now: int, key: str, told: dict[str, object]) -> Envelope:
    return Envelope(
        id=f"dead-letter/{_kept(id)}",
        type="MessageBuried",
        source="/dead-letters",
        time=now,
        key=_kept(key),
        data=msgspec.json.encode(told),
    )


def _kept(text: str) -> str:
    """As the database takes it."""
    return text.replace("\x00", "\\x00")
