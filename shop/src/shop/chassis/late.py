"""Messages that are sent later than they are written: kept in the service's database until their time has come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import psycopg

from sagacity.messaging import Message
from sagacity.messaging.postgres import outbox
from shop.chassis.database import Connection, Pool
from shop.chassis.failures import Failure

__all__ = ["TABLE", "Late", "send_later"]

TABLE = """
create table if not exists late_messages (
    id bigint generated always as identity primary key,
    due timestamptz not null,
    topic text not null,
    envelope bytea not null
)
"""
"""For the revisions of a service that sends later."""

_ADD = "insert into late_messages (due, topic, envelope) values (now() + %s, %s, %s)"
_DUE = """
delete from late_messages where id in (
    select id from late_messages where due <= now() order by id limit 100 for update skip locked
) returning topic, envelope
"""


async def send_later(connection: Connection, messages: Sequence[Message], after: timedelta) -> None:
    """Have these sent after so long, if the connection's transaction is committed. Their time is moved on by as much."""
    microseconds = after // timedelta(microseconds=1)
    for message in messages:
        moved = msgspec.structs.replace(message.envelope, time=message.envelope.time + microseconds)
        await connection.execute(_ADD, (after, message.topic, outbox.write_envelope(moved)))


class Late:
    """Moves what has come due into the outbox, every `tick` seconds; to be run beside a service. Any number may run."""

    def __init__(self, pool: Pool, *, tick: float = 0.5) -> None:
        self._pool = pool
        self._tick = tick

    async def run(self) -> None:
        while True:
            try:
                sent = await self.once()
            except (Failure, psycopg.Error):
                sent = 0
            if not sent:
                await asyncio.sleep(self._tick)

    async def once(self) -> int:
        """Move what is due; how many."""
        async with self._pool.transaction() as connection:
            rows = await (await connection.execute(_DUE)).fetchall()
            await outbox.send(connection, [Message(topic, outbox.read_envelope(envelope)) for topic, envelope in rows])
        return len(rows)
