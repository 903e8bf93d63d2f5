"""The subscriber of Kafka where partitions come while messages of others do: none of these is passed over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from fakes.consumer import FakeConsumer, Kept
from sagacity.errors import StoreError
from sagacity.messaging import Partition
from sagacity.messaging.kafka import KafkaSubscriber

ONE, OTHER = ("orders", 0), ("orders", 1)


class Known:
    """Where to read on, as a receiver says it; `away` counts how often its database cannot be asked."""

    def __init__(self) -> None:
        self.positions: dict[Partition, int] = {}
        self.asked: list[Partition] = []
        self.away = 0

    async def __call__(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        if self.away:
            self.away -= 1
            raise StoreError("the database is away")
        self.asked += partitions
        return {each: self.positions[each] for each in partitions if each in self.positions}


def subscriber(known: Known, client: FakeConsumer) -> KafkaSubscriber:
    return KafkaSubscriber("nowhere:1", ["orders"], "g", known, client=client)


async def offsets(reading: KafkaSubscriber, most: int = 10) -> list[tuple[int, int]]:
    return [(each.partition, each.offset) for each in await reading.receive(most, 0.05)]


def test_what_comes_together_with_a_new_partition_is_returned() -> None:
    client = FakeConsumer([([ONE], []), ([OTHER], [Kept("orders", 0, 0), Kept("orders", 0, 1)])])

    async def story() -> None:
        reading = subscriber(Known(), client)
        assert await offsets(reading) == [(0, 0), (0, 1)]
        assert reading.assigned() == {ONE, OTHER}
        await reading.close()

    asyncio.run(story())


def test_it_is_returned_also_where_the_position_of_the_new_one_cannot_be_asked_for() -> None:
    client, known = FakeConsumer([([ONE], []), ([], [Kept("orders", 0, 0)]), ([OTHER], [Kept("orders", 0, 1)])]), Known()

    async def story() -> None:
        reading = subscriber(known, client)
        assert await offsets(reading) == [(0, 0)]
        known.away = 2
        assert await offsets(reading) == [(0, 1)]
        with pytest.raises(StoreError):
            await offsets(reading)
        assert await offsets(reading) == []
        assert reading.assigned() == {ONE, OTHER}
        await reading.close()

    asyncio.run(story())


def test_a_partition_that_is_named_is_read_again_from_where_the_receiver_then_is() -> None:
    client, known = FakeConsumer([([ONE], []), ([], [Kept("orders", 0, n) for n in range(4)])], until=5), Known()

    async def story() -> None:
        reading = subscriber(known, client)
        assert await offsets(reading, 2) == [(0, 0), (0, 1)]
        known.positions[ONE] = 3
        reading.again([ONE, OTHER])
        assert await offsets(reading) == [(0, 3), (0, 4)]
        assert known.asked == [ONE, ONE]
        await reading.close()

    asyncio.run(story())
