"""Messages in, from Kafka, as a member of a group."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as Received

from sagacity.errors import StoreError
from sagacity.messaging.kafka.settings import advice, consumer_settings, made
from sagacity.messaging.subscriber import Delivery, Partition, Positions, Unreadable
from sagacity.messaging.wire import decode

__all__ = ["KafkaSubscriber"]

_log = logging.getLogger("sagacity.messaging.kafka")
_SLICE = 0.2
"""No wait at the client is longer than this many seconds, so that closing never takes longer either."""
_ASK_WITHIN = 30.0
_LOOK_EVERY = 1.0
_GONE = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION)
_AWAY = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._AUTHENTICATION)


class KafkaSubscriber:
    """See `sagacity.messaging.subscriber` for what it guarantees.

    `settings` are librdkafka's, for TLS, SASL and so on; `client` makes a consumer of them. All that waits for the broker is
    done on one thread of its own.

    A position that is gone (retention has passed it by, or the topic was made anew) is never passed over in silence: reading
    goes on from the earliest offset that is left, and what was lost is logged as an error and stands in `losses`.
    """

    def __init__(
        self,
        servers: str,
        topics: Sequence[str],
        group: str,
        positions: Positions,
        *,
        settings: Mapping[str, str] | None = None,
        client: Any = Consumer,
    ) -> None:
        self.losses: list[str] = []
        self._ask = positions
        self._topics = list(topics)
        self._assigned: dict[Partition, int | None] = {}
        self._trouble: str | None = None
        self._looked = 0.0
        self._fresh: list[Partition] = []
        self._held: list[Delivery] = []
        self._named: set[Partition] = set()
        self._subscribed = self._closed = False
        self._thread = ThreadPoolExecutor(1, "sagacity-kafka-subscriber")
        own = dict(settings or {})
        given = {**consumer_settings(servers, group, own), "error_cb": self._complained}
        self._consumer: Any = made(client, given, own)

    async def receive(self, most: int, wait: float) -> Sequence[Delivery]:
        loop = asyncio.get_running_loop()
        limit = time.monotonic() + wait
        while not self._closed:
            left = max(min(limit - time.monotonic(), _SLICE), 0.0)
            await loop.run_in_executor(self._thread, self._fill, most, left)
            fresh = bool(self._fresh)
            if fresh:
                try:
                    await self._begin(loop)
                except StoreError:
                    if not self._held:  # else it is asked for again when these have been taken
                        raise
            if self._held or (not fresh and time.monotonic() >= limit):
                deliveries, self._held = self._held[:most], self._held[most:]
                return deliveries
        return []

    def again(self, partitions: Iterable[Partition]) -> None:
        self._named.update(partitions)

    def assigned(self) -> frozenset[Partition]:
        return frozenset(self._assigned)

    def reach(self) -> str | None:
        return self._trouble

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._consumer.close)
            self._thread.shutdown(wait=False)
            self._assigned.clear()
            self._held.clear()

    # Partitions come and go -----------------------------------------------------------------------------------------

    async def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ask the receiver where the new partitions are to be read from, and begin there."""
        fresh = list(self._fresh)
        known = await self._ask(fresh)
        await loop.run_in_executor(self._thread, self._start, {each: known.get(each) for each in fresh})

    def _start(self, positions: Mapping[Partition, int | None]) -> None:
        fresh = [each for each in self._fresh if each in positions]  # what was lost meanwhile is somebody else's
        self._fresh = [each for each in self._fresh if each not in positions]
        self._assigned.update((each, positions[each]) for each in fresh)
        self._consumer.incremental_assign([_place(each, positions[each]) for each in fresh])

    def _given(self, _consumer: object, partitions: list[TopicPartition]) -> None:
        self._fresh += [(each.topic, each.partition) for each in partitions]
        self._consumer.incremental_assign([])  # they are read as soon as their positions are known

    def _taken(self, _consumer: object, partitions: list[TopicPartition]) -> None:
        lost = {(each.topic, each.partition) for each in partitions}
        self._fresh = [each for each in self._fresh if each not in lost]
        read = [each for each in lost if each in self._assigned]
        for each in read:
            del self._assigned[each]
        self._consumer.incremental_unassign([TopicPartition(*each) for each in read])

    def _leave(self) -> None:
        """Read no further in the partitions that are to be asked for again."""
        named = [each for each in self._named.copy() if each in self._assigned]
        self._named.clear()
        if named:
            for each in named:
                del self._assigned[each]
            self._consumer.incremental_unassign([TopicPartition(*each) for each in named])
            self._held = [each for each in self._held if (each.topic, each.partition) in self._assigned]
            self._fresh += named

    # On the thread --------------------------------------------------------------------------------------------------

    def _fill(self, most: int, wait: float) -> None:
        """What comes is held here until `receive` returns it, whatever goes wrong meanwhile: it does not come again."""
        self._leave()
        if not self._held:
            self._held = self._consume(most, wait)

    def _consume(self, most: int, wait: float) -> list[Delivery]:
        try:
            if not self._subscribed:
                self._consumer.subscribe(self._topics, on_assign=self._given, on_revoke=self._taken, on_lost=self._taken)
                self._subscribed = True
            messages = self._consumer.consume(1, wait)
            if messages and most > 1:
                messages += self._consumer.consume(most - 1, 0)
        except KafkaException as error:
            self._trouble = advice(error.args[0])
            time.sleep(min(wait, _SLICE))  # on the client's thread: nothing else waits for it
            return []
        deliveries = [delivery for message in messages if (delivery := self._delivery(message)) is not None]
        if deliveries:
            self._trouble = None
        elif self._trouble is not None and not messages:
            self._look()
        return deliveries

    def _look(self) -> None:
        """Whether the broker answers again: where no messages come, nothing else would tell."""
        if time.monotonic() - self._looked < _LOOK_EVERY:
            return
        try:
            found = self._consumer.list_topics(timeout=_SLICE).topics
            if all(name in found and found[name].error is None for name in self._topics):
                self._trouble = None
        except KafkaException:
            pass  # it is still as it was
        finally:
            self._looked = time.monotonic()

    def _delivery(self, message: Received) -> Delivery | None:
        topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
        error = message.error()
        if error is not None:
            self._heard((topic, partition), error)
            return None
        if (topic, partition) not in self._assigned:
            return None
        key: Any = message.key()
        value: Any = message.value()
        _, milliseconds = message.timestamp()
        try:
            headers: Any = message.headers() or ()
        except UnicodeDecodeError as wrong:
            return Delivery(topic, partition, offset, Unreadable(key, value, (), f"a header's name is no UTF-8: {wrong}"))
        return Delivery(topic, partition, offset, decode(key, headers, value, milliseconds * 1000))

    def _heard(self, key: Partition, error: KafkaError) -> None:
        self._trouble = advice(error)
        if error.code() in _GONE and key in self._assigned:
            position = self._assigned[key]
            lost = f"{key[0]}/{key[1]}: the position {position} is gone; read on from the earliest offset that is left"
            self.losses.append(lost)
            _log.error("%s. Retention was shorter than the time of standstill, or the topic was made anew", lost)
            self._assigned[key] = None
            self._consumer.incremental_unassign([TopicPartition(*key)])
            self._consumer.incremental_assign([_place(key, None)])

    def _complained(self, error: KafkaError) -> None:
        if error.code() in _AWAY:
            self._trouble = advice(error)


def _place(partition: Partition, position: int | None) -> TopicPartition:
    return TopicPartition(*partition, OFFSET_BEGINNING if position is None else position)
