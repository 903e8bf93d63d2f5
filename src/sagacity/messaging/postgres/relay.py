"""Sends what the outbox holds: each message at least once, those of a key in order, whatever crashes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

import msgspec
from psycopg import AsyncConnection, Error, OperationalError

from sagacity.errors import PublishError
from sagacity.messaging.envelope import Message
from sagacity.messaging.meter import Meter, Tally
from sagacity.messaging.postgres.connecting import connect
from sagacity.messaging.postgres.dead_letters import bury, count
from sagacity.messaging.postgres.outbox import BUCKETS, read_envelope
from sagacity.messaging.postgres.resting import Resting
from sagacity.messaging.publisher import Publisher
from sagacity.messaging.subscriber import Delivery

__all__ = ["Lag", "Relay"]

_log = logging.getLogger("sagacity.messaging.relay")
_MEASURE_EVERY = 5.0
"""Seconds."""
_MET = 0.02
"""Seconds until what another relay held is looked at again, in case that it has looked there before it was written."""
_CLASS = 7_238_111
"""Advisory locks of this class, one for each bucket, say which relay sends from it now."""

_CLAIM = """
select bucket from unnest(%b::smallint[]) as wanted (bucket) where pg_try_advisory_xact_lock(%b::integer, bucket::integer)
"""
_BATCH = """
select sequence, topic, envelope from sagacity.outbox
where bucket = any(%b::smallint[]) and topic <> all(%b::text[]) order by sequence limit %b
"""
_SENT = "delete from sagacity.outbox where sequence = any(%b::bigint[])"
_LAG = """
select count(*), coalesce(extract(epoch from clock_timestamp() - min(since)), 0)::float8 from sagacity.outbox
"""


class Lag(msgspec.Struct, frozen=True):
    """What waits in the outbox: how many messages, and for how many seconds the oldest."""

    waiting: int
    oldest: float


class Relay:
    """Sends from the outbox in the database at `dsn` through a publisher, until it is cancelled.

    Any number of relays may run, in any processes: each bucket of keys is sent from by one at a time, and where several run
    they share the buckets. It is told by the database when there is something to send, and looks every `poll` seconds all
    the same. A database or broker that is away is waited for; `trouble` says so. A message that the broker will never take
    becomes a dead letter, so that those behind it go on. What is for a topic that is not there, or may not be written to,
    stays, and is tried again within a minute; all else is sent meanwhile.

    A batch is read, published, and then deleted, in one transaction that holds the buckets: a crash at any point leaves what
    was not deleted, to be sent (again) by whoever comes next.
    """

    def __init__(
        self,
        dsn: str,
        publisher: Publisher,
        *,
        batch: int = 500,
        poll: float = 1.0,
        name: str = "relay",
        meter: Meter | None = None,
    ) -> None:
        self.trouble: str | None = None
        self.sent = 0
        self.name = name
        self.meter = Tally() if meter is None else meter
        self._measured = -_MEASURE_EVERY
        self._dsn = dsn
        self._publisher = publisher
        self._batch = batch
        self._poll = poll
        self._share = BUCKETS
        self._turn = 0
        self._seen = 0  # so many buckets in a row had nothing to send, or were another's
        self._met = False
        self._whole = False  # all buckets are claimed
        self._all = False  # the last batch was all that there was
        self._consumers: set[str] = set()
        self._resting = Resting()

    async def run(self) -> None:
        """Send until cancelled. Never raises for what may pass."""
        while True:
            try:
                async with await connect(self._dsn) as connection:
                    await self._work(connection)
            except OperationalError as error:
                self._complain(f"the database: {error}".strip())
                await asyncio.sleep(self._poll)

    async def drain(self) -> int:
        """Send all that can be sent now, and return how many; for tests, and for programs that end."""
        total = 0
        async with await connect(self._dsn) as connection:
            while sent := await self.once(connection):
                total += sent
        return total

    async def once(self, connection: AsyncConnection[Any]) -> int:
        """Send one batch; how many messages it was. Raises PublishError after those that were kept have been deleted."""
        try:
            return await self._once(connection)
        except BaseException:
            with suppress(Error):
                await connection.rollback()
            raise

    async def _once(self, connection: AsyncConnection[Any]) -> int:
        failed: PublishError | None = None
        self._all = False
        buckets = await self._claim(connection)
        resting = self._resting.now(monotonic())
        given = (buckets, resting, self._batch)
        rows = await (await connection.execute(_BATCH, given)).fetchall() if buckets else []
        if not rows:
            await connection.rollback()
            return 0
        messages = [Message(topic, read_envelope(envelope)) for _, topic, envelope in rows]
        try:
            await self._publisher.publish(messages)
            left: set[int] = set()
        except PublishError as error:
            failed = error
            left = await self._left(connection, messages, error)
            self._resting.failed(error.topics, monotonic())
        sent = [row[0] for at, row in enumerate(rows) if at not in left]
        if sent:
            await connection.execute(_SENT, (sent,))
        await connection.commit()
        self._all = len(rows) < self._batch and self._whole and not (left or resting)
        self.sent += len(sent)
        self._resting.sent({each.topic for at, each in enumerate(messages) if at not in left})
        self.meter.count("sagacity_outbox_sent_total", (self.name,), len(sent))
        if failed is not None and left:
            raise failed
        if not self._resting.failing:
            self.trouble = None
        return len(sent)

    async def lag(self, connection: AsyncConnection[Any]) -> Lag:
        """What waits to be sent."""
        row = await (await connection.execute(_LAG)).fetchone()
        assert row is not None
        return Lag(*row)

    async def _work(self, connection: AsyncConnection[Any]) -> None:
        """Send until it is cancelled. What was committed after a batch was read, the database has told of by the time that
        the batch is deleted: where a batch was all that there was, nobody need look again."""
        await connection.execute("listen sagacity_outbox")
        while True:
            if monotonic() - self._measured > _MEASURE_EVERY:
                self._measured = monotonic()
                await self._measure(connection)
            try:
                sent = await self.once(connection)
                if sent and not self._all:
                    self._seen = 0
                    continue
                if self._seen < BUCKETS and not sent:
                    continue
                self._seen = 0
                if not self._resting.now(monotonic()):
                    self._resting.sent(self._resting.failing)
                    self.trouble = None  # nothing waits, so nothing is wrong: what comes next will tell
            except PublishError as error:
                self._complain(error.message)
                if not error.topics:
                    await asyncio.sleep(self._poll)
                continue
            wait = min(_MET, self._poll) if self._met else self._poll
            async for _ in connection.notifies(timeout=wait, stop_after=1):
                pass

    async def _measure(self, connection: AsyncConnection[Any]) -> None:
        lag = await self.lag(connection)
        self.meter.levels("sagacity_outbox_messages", {(self.name,): float(lag.waiting)})
        self.meter.levels("sagacity_outbox_oldest_seconds", {(self.name,): lag.oldest})
        self.meter.levels("sagacity_outbox_failing_topics", {(self.name,): float(len(self._resting.failing))})
        buried = await count(connection)
        self._consumers.update(buried)
        self.meter.levels("sagacity_dead_letters", {(name,): float(buried.get(name, 0)) for name in self._consumers})

    async def _claim(self, connection: AsyncConnection[Any]) -> list[int]:
        """Begin a transaction; the buckets to send from until it ends. Who meets another relay leaves it half of them, in
        turns.

        The locks are taken before the messages are read: a statement that did both could see what another has just deleted.
        """
        wanted = [(self._turn + ahead) % BUCKETS for ahead in range(self._share)]
        async with connection.pipeline():
            await connection.execute("begin")
            found = await connection.execute(_CLAIM, (wanted, _CLASS))
        claimed = [row[0] for row in await found.fetchall()]
        self._met = len(claimed) < len(wanted)
        self._whole = len(claimed) == BUCKETS
        self._seen += len(wanted)
        self._turn = (self._turn + len(wanted)) % BUCKETS
        self._share = BUCKETS // 2 if self._met else BUCKETS
        return claimed

    async def _left(self, connection: AsyncConnection[Any], messages: Sequence[Message], error: PublishError) -> set[int]:
        """Which of the messages, by place, must be sent again. Those that are refused for good are buried."""
        uncertain = {id(message) for message in error.uncertain}
        refused = {id(message) for message in error.refused}
        left = {at for at, message in enumerate(messages) if id(message) in uncertain and id(message) not in refused}
        for message in error.refused:
            await bury(connection, "relay", Delivery(message.topic, 0, 0, message.envelope), error.message)
        return left

    def _complain(self, trouble: str) -> None:
        if trouble != self.trouble:
            _log.warning("%s", trouble)
        self.trouble = trouble
