"""Messages in: each is done once by each consumer, and what was answered is remembered and sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from psycopg import AsyncConnection

from sagacity.messaging.envelope import Envelope, Message

__all__ = ["forget", "remember", "take"]

_TAKE = """
insert into sagacity.inbox (consumer, source, id)
select %b, source, id from unnest(%b::text[], %b::text[]) as given (source, id)
order by source, id
on conflict do nothing
returning source, id
"""
_KNOWN = """
select source, id, answers from sagacity.inbox
join unnest(%b::text[], %b::text[]) as given (source, id) using (source, id)
where consumer = %b
"""
_REMEMBER = "update sagacity.inbox set answers = %b where consumer = %b and source = %b and id = %b"
_FORGET = """
delete from sagacity.inbox where ctid = any(array(
    select ctid from sagacity.inbox where since < now() - %s order by since limit %s for update skip locked
))
"""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Message, ...]).decode


async def take(
    connection: AsyncConnection[Any], consumer: str, envelopes: Sequence[Envelope]
) -> Mapping[tuple[str, str], tuple[Message, ...]]:
    """Take messages on, in the connection's transaction. What was taken on before, by this consumer, is returned: by
    source and id, with what was answered then. All others are new, and are done if the transaction is committed.

    A message that another transaction has just taken on is waited for. Among `envelopes` none may be there twice.
    """
    if not envelopes:
        return {}
    sources, ids = [each.source for each in envelopes], [each.id for each in envelopes]
    taken = await (await connection.execute(_TAKE, (consumer, sources, ids))).fetchall()
    if len(taken) == len(envelopes):
        return {}
    known = await (await connection.execute(_KNOWN, (sources, ids, consumer))).fetchall()
    new = set(taken)
    return {
        (source, id): () if answers is None else _decode(answers) for source, id, answers in known if (source, id) not in new
    }


async def remember(connection: AsyncConnection[Any], consumer: str, envelope: Envelope, answers: Sequence[Message]) -> None:
    """Remember what is answered to a message that was taken on in this transaction."""
    await connection.execute(_REMEMBER, (_encode(tuple(answers)), consumer, envelope.source, envelope.id))


async def forget(connection: AsyncConnection[Any], after: timedelta, most: int | None = None) -> int:
    """Forget what was taken on so long ago, the oldest first, at most so many where `most` says so; how many. What is
    redelivered later than that is done again."""
    return (await connection.execute(_FORGET, (after, most))).rowcount
