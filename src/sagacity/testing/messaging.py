"""What every adapter of the messaging ports is held to: the guarantees of `messaging.publisher` and `messaging.subscriber`.

    @pytest.mark.parametrize("guarantee", GUARANTEES, ids=name_of)
    def test_my_broker(guarantee, ground):
        asyncio.run(guarantee(ground))

Each guarantee is a coroutine function that takes a `Ground`: what makes topics, publishers and subscribers of the adapter.
It raises AssertionError where the adapter does not keep it, and takes no longer than `LIMIT` seconds.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from sagacity.errors import MessagingError
from sagacity.messaging.envelope import Envelope, Message
from sagacity.messaging.publisher import Publisher
from sagacity.messaging.subscriber import Delivery, Partition, Positions, Subscriber, Unreadable

__all__ = ["GUARANTEES", "LIMIT", "Ground", "Received", "message", "name_of"]

LIMIT = 60.0
"""Seconds within which a guarantee must have been seen to hold."""


class Ground(Protocol):
    """Where an adapter is tried: all that a guarantee needs of it."""

    async def topic(self, partitions: int) -> str:
        """A new, empty topic with so many partitions."""
        ...

    def publisher(self) -> Publisher: ...

    def subscriber(self, topics: Sequence[str], group: str, positions: Positions) -> Subscriber: ...

    async def put(self, topic: str, key: bytes | None, headers: Sequence[tuple[str, bytes]], value: bytes | None) -> None:
        """Send what may be no envelope, as another program would."""
        ...


class Received:
    """A receiver that keeps positions as a service does, in memory: fenced, and asked for by its subscribers."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.positions: dict[Partition, int] = {}
        self.asked: list[Partition] = []

    async def known(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Where to read on; what a subscriber asks."""
        self.asked += partitions
        return {partition: self.positions[partition] for partition in partitions if partition in self.positions}

    def keep(self, deliveries: Iterable[Delivery]) -> None:
        """Take these as done, and their positions with them. What was done before, by anybody, is left out."""
        for each in deliveries:
            partition = (each.topic, each.partition)
            if each.offset >= self.positions.get(partition, 0):
                self.deliveries.append(each)
                self.positions[partition] = each.offset + 1

    @property
    def ids(self) -> list[str]:
        return [each.content.id for each in self.deliveries if isinstance(each.content, Envelope)]

    def ids_by_key(self) -> dict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for each in self.deliveries:
            if isinstance(each.content, Envelope):
                found[each.content.key].append(each.content.id)
        return dict(found)


def message(topic: str, number: int, key: str = "k") -> Message:
    """A message that can be told from others by its number."""
    return Message(
        topic,
        Envelope(
            id=f"m{number}",
            type="Numbered",
            source="/conformance",
            time=1_700_000_000_000_000 + number,
            key=key,
            data=b'{"number":%d}' % number,
            subject="a subject",
            correlation_id=f"c{number}",
            cause="m0",
            reply_to="replies",
            extensions=(("tenant", "näme"),),
        ),
    )


def name_of(guarantee: Callable[[Ground], Awaitable[None]]) -> str:
    """A guarantee's name, as an id of a test."""
    return guarantee.__name__


@asynccontextmanager
async def _reading(
    ground: Ground, topic: str, group: str, received: Received, members: int = 1
) -> AsyncIterator[list[Subscriber]]:
    subscribers = [ground.subscriber([topic], group, received.known) for _ in range(members)]
    try:
        yield subscribers
    finally:
        for each in subscribers:
            await each.close()


@asynccontextmanager
async def _publishing(ground: Ground) -> AsyncIterator[Publisher]:
    publisher = ground.publisher()
    try:
        yield publisher
    finally:
        await publisher.close()


async def _until(subscribers: Sequence[Subscriber], received: Received, done: Callable[[], bool], most: int = 1000) -> None:
    """Receive until it holds."""
    async with asyncio.timeout(LIMIT):
        while not done():
            for deliveries in await asyncio.gather(*(each.receive(most, 0.1) for each in subscribers)):
                assert len(deliveries) <= most, "more was returned than was asked for"
                received.keep(deliveries)


async def an_envelope_arrives_as_it_was_sent(ground: Ground) -> None:
    topic, received = await ground.topic(2), Received()
    sent = [message(topic, number, key=f"key-{number}-ü") for number in range(5)]
    sent.append(Message(topic, Envelope(id="bare", type="Bare", source="s", time=0, key="")))
    async with _publishing(ground) as publisher, _reading(ground, topic, "g", received) as subscribers:
        await publisher.publish(sent)
        await _until(subscribers, received, lambda: len(received.deliveries) >= len(sent))
    contents = {each.content.id: each.content for each in received.deliveries if isinstance(each.content, Envelope)}
    assert contents == {each.envelope.id: each.envelope for each in sent}


async def what_is_published_before_anyone_reads_is_read(ground: Ground) -> None:
    topic, received = await ground.topic(1), Received()
    async with _publishing(ground) as publisher:
        await publisher.publish([message(topic, number) for number in range(3)])
    async with _reading(ground, topic, "g", received) as subscribers:
        await _until(subscribers, received, lambda: len(received.ids) >= 3)
    assert received.ids == ["m0", "m1", "m2"]


async def messages_of_a_key_keep_their_order_across_calls(ground: Ground) -> None:
    topic, received = await ground.topic(3), Received()
    sent = [message(topic, number, key=f"k{number % 7}") for number in range(700)]
    async with _publishing(ground) as publisher, _reading(ground, topic, "g", received) as subscribers:
        for start in range(0, 700, 50):
            await publisher.publish(sent[start : start + 50])
        await _until(subscribers, received, lambda: len(received.ids) >= 700)
    expected: defaultdict[str, list[str]] = defaultdict(list)
    for each in sent:
        expected[each.envelope.key].append(each.envelope.id)
    assert received.ids_by_key() == expected


async def a_key_has_one_partition(ground: Ground) -> None:
    topic, received = await ground.topic(4), Received()
    async with _publishing(ground) as publisher, _reading(ground, topic, "g", received) as subscribers:
        await publisher.publish([message(topic, number, key=f"k{number % 10}") for number in range(100)])
        await _until(subscribers, received, lambda: len(received.ids) >= 100)
    homes: defaultdict[str, set[int]] = defaultdict(set)
    for each in received.deliveries:
        assert isinstance(each.content, Envelope)
        homes[each.content.key].add(each.partition)
    assert all(len(partitions) == 1 for partitions in homes.values())
    assert len({number for partitions in homes.values() for number in partitions}) > 1


async def offsets_of_a_partition_ascend(ground: Ground) -> None:
    topic, seen = await ground.topic(2), Received()
    async with _publishing(ground) as publisher, _reading(ground, topic, "g", seen) as subscribers:
        await publisher.publish([message(topic, number, key=f"k{number}") for number in range(200)])
        await _until(subscribers, seen, lambda: len(seen.ids) >= 200, most=17)
    offsets: defaultdict[int, list[int]] = defaultdict(list)
    for each in seen.deliveries:
        offsets[each.partition].append(each.offset)
    assert all(each == sorted(set(each)) for each in offsets.values())


async def what_was_received_and_not_kept_comes_again(ground: Ground) -> None:
    topic, lost, received = await ground.topic(1), Received(), Received()
    async with _publishing(ground) as publisher:
        await publisher.publish([message(topic, number) for number in range(20)])
    async with _reading(ground, topic, "g", lost) as subscribers:
        await _until(subscribers, lost, lambda: len(lost.ids) >= 20)
    async with _reading(ground, topic, "g", received) as subscribers:
        await _until(subscribers, received, lambda: len(received.ids) >= 20)
    assert received.ids == [f"m{number}" for number in range(20)]


async def reading_goes_on_where_the_receiver_says(ground: Ground) -> None:
    topic, received = await ground.topic(1), Received()
    received.positions[(topic, 0)] = 12
    async with _publishing(ground) as publisher:
        await publisher.publish([message(topic, number) for number in range(20)])
    async with _reading(ground, topic, "g", received) as subscribers:
        await _until(subscribers, received, lambda: len(received.ids) >= 8)
        assert received.asked == [(topic, 0)]
        assert subscribers[0].assigned() == {(topic, 0)}
    assert received.ids == [f"m{number}" for number in range(12, 20)]


async def what_is_asked_for_again_is_read_from_where_the_receiver_then_is(ground: Ground) -> None:
    topic, received = await ground.topic(1), Received()
    async with _publishing(ground) as publisher, _reading(ground, topic, "g", received) as subscribers:
        await publisher.publish([message(topic, number) for number in range(20)])
        await _until(subscribers, received, lambda: len(received.ids) >= 20)
        received.positions[(topic, 0)], received.deliveries = 15, []
        subscribers[0].again([(topic, 0), ("elsewhere", 3)])
        await _until(subscribers, received, lambda: len(received.ids) >= 5)
        assert received.asked == [(topic, 0), (topic, 0)]
        assert subscribers[0].assigned() == {(topic, 0)}
    assert received.ids == [f"m{number}" for number in range(15, 20)]


async def groups_read_independently(ground: Ground) -> None:
    topic, one, other = await ground.topic(2), Received(), Received()
    async with (
        _publishing(ground) as publisher,
        _reading(ground, topic, "one", one) as ones,
        _reading(ground, topic, "other", other) as others,
    ):
        await publisher.publish([message(topic, number, key=f"k{number}") for number in range(30)])
        await _until(ones, one, lambda: len(one.ids) >= 30)
        await _until(others, other, lambda: len(other.ids) >= 30)
    assert set(one.ids) == set(other.ids) == {f"m{number}" for number in range(30)}


async def members_of_a_group_share_the_partitions(ground: Ground) -> None:
    topic, received = await ground.topic(4), Received()
    async with _publishing(ground) as publisher, _reading(ground, topic, "g", received, members=2) as subscribers:

        def shared() -> bool:
            shares = [each.assigned() for each in subscribers]
            return all(shares) and sum(map(len, shares)) == 4 and not shares[0] & shares[1]

        await _until(subscribers, received, shared)
        await publisher.publish([message(topic, number, key=f"k{number}") for number in range(100)])
        await _until(subscribers, received, lambda: len(received.ids) >= 100)
    assert sorted(received.ids) == sorted(f"m{number}" for number in range(100))


async def the_partitions_of_a_member_that_leaves_are_read_on_by_others(ground: Ground) -> None:
    topic, received = await ground.topic(4), Received()
    async with _publishing(ground) as publisher, _reading(ground, topic, "g", received, members=2) as subscribers:
        await publisher.publish([message(topic, number, key=f"k{number}") for number in range(50)])
        await _until(subscribers, received, lambda: len(received.ids) >= 50 and all(s.assigned() for s in subscribers))
        await subscribers[0].close()
        await publisher.publish([message(topic, number, key=f"k{number}") for number in range(50, 100)])
        await _until(subscribers[1:], received, lambda: len(received.ids) >= 100)
    assert sorted(received.ids) == sorted(f"m{number}" for number in range(100))


async def what_is_no_envelope_is_delivered_as_unreadable(ground: Ground) -> None:
    topic, received = await ground.topic(1), Received()
    async with _publishing(ground) as publisher, _reading(ground, topic, "g", received) as subscribers:
        await ground.put(topic, b"k", [("x", b"\xff")], b"\xff\xfe not an envelope")
        await ground.put(topic, None, [], None)
        await publisher.publish([message(topic, 1)])
        await _until(subscribers, received, lambda: len(received.deliveries) >= 3)
    first, second, third = (each.content for each in received.deliveries)
    assert isinstance(first, Unreadable)
    assert (first.key, first.value, first.headers) == (b"k", b"\xff\xfe not an envelope", (("x", b"\xff"),))
    assert first.reason
    assert isinstance(second, Unreadable)
    assert isinstance(third, Envelope)


async def an_envelope_that_cannot_travel_is_refused_and_nothing_of_the_call_is_kept(ground: Ground) -> None:
    topic, received = await ground.topic(1), Received()
    async with _publishing(ground) as publisher, _reading(ground, topic, "g", received) as subscribers:
        try:
            await publisher.publish(
                [message(topic, 1), Message(topic, Envelope(id="", type="t", source="s", time=0, key=""))]
            )
        except MessagingError:
            pass
        else:
            raise AssertionError("an envelope without an id was taken")
        await publisher.publish([message(topic, 2)])
        await _until(subscribers, received, lambda: len(received.ids) >= 1)
    assert received.ids == ["m2"]


async def calls_at_the_same_time_are_all_kept(ground: Ground) -> None:
    topic, received = await ground.topic(2), Received()
    async with _publishing(ground) as publisher, _reading(ground, topic, "g", received) as subscribers:
        await asyncio.gather(*(publisher.publish([message(topic, number, key=f"k{number}")]) for number in range(100)))
        await publisher.publish([])
        await _until(subscribers, received, lambda: len(received.ids) >= 100)
    assert sorted(received.ids) == sorted(f"m{number}" for number in range(100))


async def receiving_nothing_returns_in_time_and_closing_twice_is_no_error(ground: Ground) -> None:
    topic, received = await ground.topic(1), Received()
    publisher = ground.publisher()
    async with _reading(ground, topic, "g", received) as subscribers:
        await _until(subscribers, received, lambda: bool(subscribers[0].assigned()))
        async with asyncio.timeout(LIMIT):
            assert list(await subscribers[0].receive(10, 0.05)) == []
        assert subscribers[0].reach() is None
        await subscribers[0].close()
        assert list(await subscribers[0].receive(10, 0.05)) == []
        assert subscribers[0].assigned() == frozenset()
    await publisher.close()
    await publisher.close()


GUARANTEES: tuple[Callable[[Ground], Awaitable[None]], ...] = (
    an_envelope_arrives_as_it_was_sent,
    what_is_published_before_anyone_reads_is_read,
    messages_of_a_key_keep_their_order_across_calls,
    a_key_has_one_partition,
    offsets_of_a_partition_ascend,
    what_was_received_and_not_kept_comes_again,
    reading_goes_on_where_the_receiver_says,
    what_is_asked_for_again_is_read_from_where_the_receiver_then_is,
    groups_read_independently,
    members_of_a_group_share_the_partitions,
    the_partitions_of_a_member_that_leaves_are_read_on_by_others,
    what_is_no_envelope_is_delivered_as_unreadable,
    an_envelope_that_cannot_travel_is_refused_and_nothing_of_the_call_is_kept,
    calls_at_the_same_time_are_all_kept,
    receiving_nothing_returns_in_time_and_closing_twice_is_no_error,
)
"""All of them. An adapter passes each."""
