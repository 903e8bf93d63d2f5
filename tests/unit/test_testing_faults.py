"""Faults on the messaging ports: each does what it says, and no more, and the same for the same seed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest

from sagacity.errors import PublishError
from sagacity.messaging import Delivery, Envelope, Message, Partition
from sagacity.messaging.memory import MemoryBroker
from sagacity.testing.faults import Delaying, Dropping, Duplicating, Failing, Redelivering, Reordering, Stalling


class _Kept:
    """A publisher that keeps what it is given."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.closed = False

    async def publish(self, messages: Sequence[Message]) -> None:
        self.ids += [message.envelope.id for message in messages]

    async def close(self) -> None:
        self.closed = True


def _messages(first: int, count: int) -> list[Message]:
    return [
        Message("t", Envelope(id=str(number), type="X", source="/s", time=0, key=f"k{number % 3}"))
        for number in range(first, first + count)
    ]


IDS = [str(number) for number in range(100)]


def _of_key(ids: Sequence[str], key: int) -> list[str]:
    return [id for id in ids if int(id) % 3 == key]


def test_what_is_dropped_is_gone_and_the_rest_in_order() -> None:
    kept = _Kept()
    asyncio.run(Dropping(kept, rate=0.5, seed=1).publish(_messages(0, 100)))
    assert 20 < len(kept.ids) < 80
    assert kept.ids == [id for id in IDS if id in kept.ids]


def test_what_is_duplicated_comes_twice_at_most() -> None:
    kept = _Kept()
    asyncio.run(Duplicating(kept, rate=0.5, seed=1).publish(_messages(0, 100)))
    assert set(kept.ids) == set(IDS)
    assert set(Counter(kept.ids).values()) == {1, 2}


def test_what_is_reordered_is_all_there() -> None:
    kept = _Kept()
    asyncio.run(Reordering(kept, rate=1.0, seed=1).publish(_messages(0, 100)))
    assert kept.ids != IDS
    assert sorted(kept.ids, key=int) == IDS


def test_what_is_delayed_comes_later_with_the_order_of_its_key() -> None:
    async def story() -> tuple[list[str], list[str]]:
        kept = _Kept()
        delaying = Delaying(kept, rate=0.3, seed=1)
        for first in range(0, 100, 10):
            await delaying.publish(_messages(first, 10))
        before = list(kept.ids)
        await delaying.close()
        assert kept.closed
        return before, kept.ids

    before, ids = asyncio.run(story())
    assert len(before) < 100
    assert ids != IDS
    assert [_of_key(ids, key) for key in range(3)] == [_of_key(IDS, key) for key in range(3)]


def test_a_publisher_that_fails_names_what_may_not_be_kept() -> None:
    async def story() -> list[str]:
        kept = _Kept()
        failing = Failing(kept, rate=0.5, seed=3)
        failures, promised = 0, list[str]()
        for first in range(0, 100, 10):
            left: Sequence[Message] = _messages(first, 10)
            while left:
                try:
                    await failing.publish(left)
                    left = ()
                except PublishError as error:
                    failures += 1
                    promised += [message.envelope.id for message in left if message not in error.uncertain]
                    left = error.uncertain
                assert set(promised) <= set(kept.ids)
        assert failures > 5
        return kept.ids

    ids = asyncio.run(story())
    assert list(dict.fromkeys(ids)) == IDS
    assert len(ids) > 100


def test_the_same_seed_has_the_same_faults() -> None:
    once, again, other = _Kept(), _Kept(), _Kept()
    for kept, seed in ((once, 5), (again, 5), (other, 6)):
        asyncio.run(Dropping(kept, rate=0.5, seed=seed).publish(_messages(0, 100)))
    assert once.ids == again.ids != other.ids


async def _nothing(_: Sequence[Partition]) -> Mapping[Partition, int]:
    return {}


def _received(rate: float, *, stalling: bool = False) -> tuple[list[Delivery], int]:
    async def story() -> tuple[list[Delivery], int]:
        broker = MemoryBroker(partitions=2)
        await broker.publisher().publish(_messages(0, 60))
        inner = broker.subscriber(["t"], "g", _nothing)
        faulty = Stalling(inner, rate=rate, seed=2) if stalling else Redelivering(inner, rate=rate, seed=2)
        got: list[Delivery] = []
        away = 0
        for _ in range(60):
            deliveries = await faulty.receive(5, 0.0)
            away += faulty.reach() is not None
            assert len(deliveries) <= 5
            assert not deliveries or faulty.reach() is None
            got += deliveries
        await faulty.close()
        return got, away

    return asyncio.run(story())


def test_what_is_redelivered_comes_in_order_from_an_earlier_position() -> None:
    got, _ = _received(0.5)
    assert len(got) > 60
    assert len({(each.partition, each.offset) for each in got}) == 60
    for partition in {each.partition for each in got}:
        offsets = [each.offset for each in got if each.partition == partition]
        assert all(later <= earlier + 1 for earlier, later in pairwise(offsets))


@pytest.mark.parametrize("rate", [0.5])
def test_a_broker_that_is_away_at_times_loses_nothing(rate: float) -> None:
    got, away = _received(rate, stalling=True)
    assert away > 10
    assert len(got) == len({(each.partition, each.offset) for each in got}) == 60
