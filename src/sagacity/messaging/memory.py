"""A broker within the process: for tests, and for services that live in one process. Nothing of it survives the process.

It keeps the guarantees of the ports as Apache Kafka does: topics with partitions chosen by the key, groups that share
them, positions asked from the receiver, redelivery from there. Messages are kept as they would travel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from zlib import crc32

import msgspec

from sagacity.errors import PublishError
from sagacity.messaging.envelope import Message
from sagacity.messaging.subscriber import Delivery, Partition, Positions
from sagacity.messaging.wire import Wire, decode, encode

__all__ = ["MemoryBroker", "MemoryPublisher", "MemorySubscriber"]


class _Kept(msgspec.Struct, frozen=True):
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None


class MemoryBroker:
    """Topics and groups. A topic comes to be when it is first used, with so many partitions. It belongs to one loop."""

    def __init__(self, partitions: int = 4) -> None:
        self._partitions = partitions
        self._logs: dict[str, list[list[_Kept]]] = {}
        self._groups: dict[str, list[MemorySubscriber]] = {}
        self._away: str | None = None
        self._news = asyncio.Event()

    def publisher(self) -> MemoryPublisher:
        return MemoryPublisher(self)

    def subscriber(self, topics: Sequence[str], group: str, positions: Positions) -> MemorySubscriber:
        """A new member of a group. The partitions of its topics are divided anew between the members."""
        member = MemorySubscriber(self, tuple(topics), group, positions)
        self._groups.setdefault(group, []).append(member)
        return member

    def make(self, topic: str, partitions: int) -> None:
        """A topic with another number of partitions than usual. One that is there is left as it is."""
        self._logs.setdefault(topic, [[] for _ in range(partitions)])

    def put(self, topic: str, key: bytes | None, headers: Sequence[tuple[str, bytes]], value: bytes | None) -> None:
        """Keep a message as another program may have sent it, readable or not."""
        log = self.log(topic)
        log[crc32(key or b"") % len(log)].append(_Kept(key, tuple(headers), value))
        self._wake()

    def away(self, reason: str | None) -> None:
        """Let the broker be out of reach, for this reason; None brings it back."""
        self._away = reason
        self._wake()

    @property
    def absence(self) -> str | None:
        """Why the broker is out of reach; None while it can be reached."""
        return self._away

    def log(self, topic: str) -> list[list[_Kept]]:
        """What each partition of a topic holds, in order."""
        if topic not in self._logs:
            self.make(topic, self._partitions)
        return self._logs[topic]

    def keep(self, topic: str, wire: Wire) -> None:
        self.put(topic, wire.key, wire.headers, wire.value)

    def share(self, member: MemorySubscriber) -> frozenset[Partition]:
        """The partitions that a member reads now: each partition of a topic has one reader in a group."""
        shared: set[Partition] = set()
        for topic in member.topics:
            readers = [each for each in self._groups[member.group] if topic in each.topics]
            at = readers.index(member)
            shared.update((topic, number) for number in range(len(self.log(topic))) if number % len(readers) == at)
        return frozenset(shared)

    def leave(self, member: MemorySubscriber) -> None:
        members = self._groups.get(member.group, [])
        if member in members:
            members.remove(member)
            self._wake()

    async def news(self, wait: float) -> None:
        """Wait until anything has changed, at most so many seconds."""
        try:
            async with asyncio.timeout(wait):
                await self._news.wait()
        except TimeoutError:
            pass

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class MemoryPublisher:
    """See `sagacity.messaging.publisher` for what it guarantees."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    async def publish(self, messages: Sequence[Message]) -> None:
        wires = [(message.topic, encode(message.envelope)) for message in messages]
        if self._broker.absence is not None:
            raise PublishError(f"the broker cannot be reached: {self._broker.absence}", messages)
        for topic, wire in wires:
            self._broker.keep(topic, wire)

    async def close(self) -> None:
        """There is nothing to let go of."""


class MemorySubscriber:
    """See `sagacity.messaging.subscriber` for what it guarantees."""

    def __init__(self, broker: MemoryBroker, topics: tuple[str, ...], group: str, positions: Positions) -> None:
        self.topics = topics
        self.group = group
        self._broker = broker
        self._ask = positions
        self._at: dict[Partition, int] = {}
        self._closed = False

    async def receive(self, most: int, wait: float) -> Sequence[Delivery]:
        loop = asyncio.get_running_loop()
        limit = loop.time() + wait
        while not self._closed:
            await self._take_up()
            deliveries = self._read(most)
            left = limit - loop.time()
            if deliveries or left <= 0:
                return deliveries
            await self._broker.news(left)
        return []

    def again(self, partitions: Iterable[Partition]) -> None:
        for each in partitions:
            self._at.pop(each, None)

    def assigned(self) -> frozenset[Partition]:
        return frozenset() if self._closed else self._broker.share(self)

    def reach(self) -> str | None:
        return self._broker.absence

    async def close(self) -> None:
        self._closed = True
        self._broker.leave(self)

    async def _take_up(self) -> None:
        share = self._broker.share(self)
        for partition in self._at.keys() - share:
            del self._at[partition]
        fresh = sorted(share - self._at.keys())
        if fresh:
            known = await self._ask(fresh)
            self._at.update({partition: known.get(partition, 0) for partition in fresh})

    def _read(self, most: int) -> list[Delivery]:
        deliveries: list[Delivery] = []
        if self._broker.absence is not None or self._closed:
            return deliveries
        for (topic, number), start in sorted(self._at.items(), key=lambda item: item[0]):
            kept = self._broker.log(topic)[number][start : start + most - len(deliveries)]
            deliveries += [
                Delivery(topic, number, start + ahead, decode(each.key, each.headers, each.value, 0))
                for ahead, each in enumerate(kept)
            ]
            self._at[(topic, number)] = start + len(kept)
        return deliveries
