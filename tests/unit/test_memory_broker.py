"""The broker within the process, where it differs from others: it can be sent away."""

from __future__ import annotations

import asyncio

import pytest

from sagacity.errors import PublishError
from sagacity.messaging.memory import MemoryBroker
from sagacity.testing.messaging import Received, message


def test_a_broker_that_is_away_keeps_nothing_and_gives_nothing_until_it_is_back() -> None:
    async def story() -> list[str]:
        broker, received = MemoryBroker(), Received()
        publisher, subscriber = broker.publisher(), broker.subscriber(["t"], "g", received.known)
        await publisher.publish([message("t", 0)])
        broker.away("a cable is out")
        with pytest.raises(PublishError, match="a cable is out") as failed:
            await publisher.publish([message("t", 1)])
        assert list(failed.value.uncertain) == [message("t", 1)]
        assert list(await subscriber.receive(10, 0)) == []
        assert subscriber.reach() == "a cable is out"
        broker.away(None)
        assert subscriber.reach() is None
        received.keep(await subscriber.receive(10, 0))
        return received.ids

    assert asyncio.run(story()) == ["m0"]


def test_what_is_published_wakes_who_waits() -> None:
    async def story() -> list[str]:
        broker, received = MemoryBroker(), Received()
        subscriber = broker.subscriber(["t"], "g", received.known)
        waiting = asyncio.create_task(subscriber.receive(10, 60))
        await asyncio.sleep(0)
        await broker.publisher().publish([message("t", 0)])
        received.keep(await waiting)
        return received.ids

    assert asyncio.run(story()) == ["m0"]
