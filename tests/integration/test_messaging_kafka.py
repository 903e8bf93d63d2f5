"""Messages over a real broker when things go wrong: bounded in time, nothing passed over, and what is wrong is said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from kafka_topics import Topics
from sagacity.errors import PublishError, UsageError
from sagacity.messaging.envelope import Message
from sagacity.messaging.kafka import KafkaPublisher, KafkaSubscriber
from sagacity.testing.messaging import Received, message
from sagacity.testing.servers.kafka import Broker

LIMIT = 60.0


@pytest.fixture
def keeping(broker: Broker) -> Iterator[Broker]:
    """A broker that keeps what it has when it is stopped; it runs again afterwards."""
    if not broker.keeps:
        pytest.skip(f"{broker.kind} keeps nothing")
    yield broker
    if not broker.running:
        broker.start()


async def read(subscriber: KafkaSubscriber, received: Received, many: int) -> None:
    async with asyncio.timeout(LIMIT):
        while len(received.ids) < many:
            received.keep(await subscriber.receive(100, 0.2))


async def longest_pause(until: asyncio.Task[None]) -> float:
    """How long the event loop was held up at most while the task ran."""
    longest, last = 0.0, time.monotonic()
    while not until.done():
        await asyncio.sleep(0.01)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    return longest


def test_a_broker_that_answers_nothing_fails_the_call_in_time_and_holds_up_nobody(keeping: Broker) -> None:
    topics = Topics(keeping)
    topic = topics.make("orders")
    sent = [message(topic, number, key=f"k{number}") for number in range(3)]

    async def story() -> list[str]:
        publisher = KafkaPublisher(keeping.servers, timeout=2.0)
        received = Received()
        await publisher.publish(sent[:1])
        keeping.freeze()
        try:
            began = time.monotonic()
            failing = asyncio.create_task(publisher.publish(sent[1:]))
            assert await longest_pause(failing) < 1.5
            with pytest.raises(PublishError) as failed:
                await failing
            assert time.monotonic() - began < 15
        finally:
            keeping.thaw()
        assert list(failed.value.uncertain) == sent[1:]
        async with asyncio.timeout(LIMIT):
            await again(publisher, sent[1:])
        subscriber = KafkaSubscriber(keeping.servers, [topic], f"{topics.prefix}.g", received.known)
        await read(subscriber, received, 3)
        await subscriber.close()
        await publisher.close()
        return received.ids

    ids = asyncio.run(story())
    assert set(ids) == {"m0", "m1", "m2"}


async def again(publisher: KafkaPublisher, messages: list[Message]) -> None:
    while True:
        try:
            return await publisher.publish(messages)
        except PublishError:
            await asyncio.sleep(0.05)


def test_a_topic_that_is_not_there_is_said(broker: Broker) -> None:
    async def story() -> None:
        publisher = KafkaPublisher(broker.servers, timeout=60.0)
        with pytest.raises(PublishError, match="topic") as failed:
            await publisher.publish([message("nowhere", 1)])
        assert failed.value.topics == {"nowhere"}
        await publisher.close()

    asyncio.run(story())


def test_after_a_message_that_fails_none_of_its_key_is_kept(broker: Broker) -> None:
    topics = Topics(broker)
    topic = topics.make("orders")
    huge = message(topic, 1).envelope
    huge = type(huge)(id="huge", type="t", source="s", time=0, key="k", data=b'"' + b"x" * 3_000_000 + b'"')

    async def story() -> list[str]:
        publisher, received = KafkaPublisher(broker.servers, timeout=60.0), Received()
        with pytest.raises(PublishError) as failed:
            await publisher.publish([message(topic, 0), Message(topic, huge), message(topic, 2)])
        assert {each.envelope.id for each in failed.value.uncertain} >= {"huge", "m2"}
        assert [each.envelope.id for each in failed.value.refused] == ["huge"]
        await publisher.publish([message(topic, 3)])
        subscriber = KafkaSubscriber(broker.servers, [topic], f"{topics.prefix}.g", received.known)
        async with asyncio.timeout(LIMIT):
            while "m3" not in received.ids:
                received.keep(await subscriber.receive(100, 0.2))
        await subscriber.close()
        await publisher.close()
        return received.ids

    ids = asyncio.run(story())
    assert "m2" not in ids
    assert "huge" not in ids


def test_reading_goes_on_by_itself_when_the_broker_is_back(keeping: Broker) -> None:
    topics = Topics(keeping)
    topic = topics.make("orders")

    async def story() -> list[str]:
        received = Received()
        publisher = KafkaPublisher(keeping.servers, timeout=LIMIT)
        subscriber = KafkaSubscriber(keeping.servers, [topic], f"{topics.prefix}.g", received.known)
        await publisher.publish([message(topic, 0)])
        await read(subscriber, received, 1)
        await asyncio.to_thread(keeping.stop)
        async with asyncio.timeout(LIMIT):
            while subscriber.reach() is None:
                assert list(await subscriber.receive(10, 0.1)) == []
        assert "check the servers" in (subscriber.reach() or "")
        await asyncio.to_thread(keeping.start)
        async with asyncio.timeout(LIMIT):
            while subscriber.reach() is not None:  # nothing comes that would tell
                assert list(await subscriber.receive(10, 0.1)) == []
        await publisher.publish([message(topic, 1)])
        await read(subscriber, received, 2)
        assert subscriber.reach() is None
        await subscriber.close()
        await publisher.close()
        return received.ids

    assert asyncio.run(story()) == ["m0", "m1"]


def test_a_position_that_is_gone_is_not_passed_over_in_silence(keeping: Broker) -> None:
    topics = Topics(keeping)
    topic = topics.make("orders")

    async def story() -> tuple[list[str], list[str]]:
        received = Received()
        received.positions[(topic, 0)] = 2
        publisher = KafkaPublisher(keeping.servers)
        await publisher.publish([message(topic, number) for number in range(10)])
        await asyncio.to_thread(topics.forget, topic, 6)
        subscriber = KafkaSubscriber(keeping.servers, [topic], f"{topics.prefix}.g", received.known)
        await read(subscriber, received, 4)
        await subscriber.close()
        await publisher.close()
        return received.ids, subscriber.losses

    ids, losses = asyncio.run(story())
    assert ids == ["m6", "m7", "m8", "m9"]
    assert len(losses) == 1
    assert "the position 2 is gone" in losses[0]


def test_settings_on_which_the_guarantees_depend_are_refused() -> None:
    async def nothing(_: object) -> dict[tuple[str, int], int]:
        return {}

    with pytest.raises(UsageError, match="acks"):
        KafkaPublisher("127.0.0.1:1", settings={"acks": "1"})
    with pytest.raises(UsageError, match=r"auto\.offset\.reset"):
        KafkaSubscriber("127.0.0.1:1", ["t"], "g", nothing, settings={"auto.offset.reset": "latest"})
    with pytest.raises(UsageError, match="turns a setting down"):
        KafkaSubscriber("127.0.0.1:1", ["t"], "g", nothing, settings={"no.such": "1"})
