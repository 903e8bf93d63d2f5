"""Kafka: a participant or an orchestrator that drains when it is told to stop, and the relay of an outbox."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from sagacity.messaging import Delivery, Partition, Publisher, Subscriber
from sagacity.messaging.kafka import KafkaPublisher, KafkaSubscriber
from sagacity.messaging.postgres import Relay
from sagacity.messaging.subscriber import Positions
from shop.chassis import parts

__all__ = ["Consumer", "Draining", "Outbox", "Reader"]

_DRAIN_OUTBOX_WITHIN = 5.0


class Reader(Protocol):
    """What does something with deliveries: sagacity's Participant and Orchestrator."""

    async def run(self, subscriber: Subscriber, publisher: Publisher | None = None) -> None: ...

    @property
    def positions(self) -> Positions: ...

    @property
    def trouble(self) -> str | None: ...


class Consumer:
    """A part: a reader of topics, as one of a group. When it is left it ends the batch under way, which is committed with
    its position, and then leaves the group. Its answers go by the outbox: add an Outbox before it."""

    def __init__(self, reader: Reader, settings: parts.Kafka, topics: Sequence[str], group: str) -> None:
        self._reader = reader
        self._settings = settings
        self._topics = tuple(topics)
        self._group = group
        self._draining: Draining | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Consumer:
        settings, reader = self._settings, self._reader
        subscriber = KafkaSubscriber(
            settings.servers, self._topics, self._group, reader.positions, settings=settings.for_subscriber()
        )
        self._draining = Draining(subscriber)
        self._task = asyncio.create_task(self._reader.run(self._draining), name="consumer")
        return self

    async def __aexit__(self, *_: object) -> None:
        draining, task = self._draining, self._task
        assert draining is not None
        assert task is not None
        try:
            drained = asyncio.ensure_future(draining.drain())
            await asyncio.wait((drained, task), return_when=asyncio.FIRST_COMPLETED)
            drained.cancel()
        finally:
            task.cancel()
            await asyncio.wait((task,))
            await draining.close()

    def tasks(self) -> Iterable[asyncio.Task[Any]]:
        return () if self._task is None else (self._task,)

    async def check(self) -> str | None:
        """For readiness."""
        reach = self._draining.reach() if self._draining is not None else "not started"
        return self._reader.trouble or reach


class Draining:
    """A subscriber that can be told to give nothing more: `drain` returns when what it gave last has been done."""

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._stopping = False
        self._idle = asyncio.Event()

    async def receive(self, most: int, wait: float) -> Sequence[Delivery]:
        if not self._stopping:
            return await self._subscriber.receive(most, wait)
        self._idle.set()  # whoever asks for more is done with what it had
        await asyncio.Event().wait()
        return ()

    async def drain(self) -> None:
        self._stopping = True
        await self._idle.wait()

    def again(self, partitions: Iterable[Partition]) -> None:
        self._subscriber.again(partitions)

    def assigned(self) -> frozenset[Partition]:
        return self._subscriber.assigned()

    def reach(self) -> str | None:
        return self._subscriber.reach()

    async def close(self) -> None:
        await self._subscriber.close()


class Outbox:
    """A part: sends what the outbox in the database at `url` holds. When it is left it sends what is still there, if it
    can. `through` puts a publisher of the service's own around the broker's."""

    def __init__(
        self, url: str, settings: parts.Kafka, *, through: Callable[[Publisher], Publisher] = lambda inner: inner
    ) -> None:
        self._url = url
        self._settings = settings
        self._through = through
        self._publisher: Publisher | None = None
        self._relay: Relay | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Outbox:
        self._publisher = self._through(KafkaPublisher(self._settings.servers, settings=self._settings.for_publisher()))
        self._relay = Relay(self._url, self._publisher, poll=self._settings.look_every.total_seconds())
        self._task = asyncio.create_task(self._relay.run(), name="outbox")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._publisher is not None
        assert self._relay is not None
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait((self._task,))
        with contextlib.suppress(Exception):  # what cannot be sent now is sent by whoever comes next
            async with asyncio.timeout(_DRAIN_OUTBOX_WITHIN):
                await self._relay.drain()
        await self._publisher.close()

    def tasks(self) -> Iterable[asyncio.Task[Any]]:
        return () if self._task is None else (self._task,)

    async def check(self) -> str | None:
        """For readiness."""
        return self._relay.trouble if self._relay is not None else "not started"
