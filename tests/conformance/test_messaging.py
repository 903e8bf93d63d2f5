"""The guarantees of the messaging ports, of every adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from kafka_topics import Topics
from sagacity.messaging.kafka import KafkaPublisher, KafkaSubscriber
from sagacity.messaging.memory import MemoryBroker, MemoryPublisher, MemorySubscriber
from sagacity.messaging.subscriber import Positions
from sagacity.testing.messaging import GUARANTEES, Ground, name_of
from sagacity.testing.servers.kafka import Broker


class Memory:
    def __init__(self) -> None:
        self._broker = MemoryBroker()
        self._topics = 0

    async def topic(self, partitions: int) -> str:
        self._topics += 1
        self._broker.make(f"t{self._topics}", partitions)
        return f"t{self._topics}"

    def publisher(self) -> MemoryPublisher:
        return self._broker.publisher()

    def subscriber(self, topics: Sequence[str], group: str, positions: Positions) -> MemorySubscriber:
        return self._broker.subscriber(topics, group, positions)

    async def put(self, topic: str, key: bytes | None, headers: Sequence[tuple[str, bytes]], value: bytes | None) -> None:
        self._broker.put(topic, key, headers, value)


class Kafka:
    def __init__(self, broker: Broker) -> None:
        self._topics = Topics(broker)
        self._made = 0

    async def topic(self, partitions: int) -> str:
        self._made += 1
        return await asyncio.to_thread(self._topics.make, f"t{self._made}", partitions)

    def publisher(self) -> KafkaPublisher:
        return KafkaPublisher(self._topics.servers)

    def subscriber(self, topics: Sequence[str], group: str, positions: Positions) -> KafkaSubscriber:
        settings = {"session.timeout.ms": "6000"}
        return KafkaSubscriber(self._topics.servers, topics, f"{self._topics.prefix}.{group}", positions, settings=settings)

    async def put(self, topic: str, key: bytes | None, headers: Sequence[tuple[str, bytes]], value: bytes | None) -> None:
        await asyncio.to_thread(lambda: self._topics.send(topic, [value], key=key, headers=headers))


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=name_of)
def test_memory(guarantee: Callable[[Ground], Awaitable[None]]) -> None:
    asyncio.run(_held(guarantee, Memory))


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=name_of)
def test_kafka(guarantee: Callable[[Ground], Awaitable[None]], broker: Broker) -> None:
    asyncio.run(_held(guarantee, lambda: Kafka(broker)))


async def _held(guarantee: Callable[[Ground], Awaitable[None]], ground: Callable[[], Ground]) -> None:
    await guarantee(ground())
