"""Sagas over a real broker: orchestrator and participants have databases of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from kafka_topics import Topics
from postgres_stories import connected, eventually
from sagacity.messaging.envelope import Envelope, Message
from sagacity.messaging.kafka import KafkaPublisher, KafkaSubscriber
from sagacity.messaging.postgres import dead_letters
from sagacity.saga import Saga, Step
from sagacity.saga.handlers import BusinessFailure, Command
from sagacity.saga.orchestrator import Orchestrator
from sagacity.saga.participant import Participant
from sagacity.saga.patience import Patience
from sagacity.saga.postgres import install, install_participant
from sagacity.saga.postgres.transaction import Transaction
from sagacity.testing.messaging import Received
from sagacity.testing.servers.kafka import Broker
from sagacity.testing.servers.postgres import PostgreSQL

LIMIT = 90.0


class System:
    """Topics, databases, and what runs: an orchestrator, and a participant of two steps."""

    def __init__(self, broker: Broker, orchestrating: str, selling: str) -> None:
        self.topics = Topics(broker)
        self.commands = self.topics.make("commands", 3)
        self.replies = self.topics.make("replies", 3)
        self.events = self.topics.make("events", 2)
        self.begin = self.topics.make("begin", 2)
        self.dead = self.topics.make("dead")
        self.orchestrating = orchestrating
        self.selling = selling
        self.definition = Saga(
            "purchase",
            1,
            (Step("reserve", "Reserve", self.commands, "Release"), Step("pay", "Pay", self.commands, kind="pivot")),
            events_topic=self.events,
            replies_topic=self.replies,
        )

    def publisher(self) -> KafkaPublisher:
        return KafkaPublisher(self.topics.servers, timeout=20.0)

    def subscriber(self, topics: list[str], group: str, positions: Any) -> KafkaSubscriber:
        settings = {"session.timeout.ms": "6000"}
        return KafkaSubscriber(self.topics.servers, topics, f"{self.topics.prefix}.{group}", positions, settings=settings)

    def participant(self) -> Participant:
        shop = Participant("shop", self.selling, dead_letters=self.dead, patience=Patience(attempts=2, first=0.01))

        @shop.handles("Reserve")
        async def reserve(command: Command, transaction: Transaction) -> dict[str, int]:
            await transaction.execute("insert into done values (%s, 'reserved')", (command.saga,))
            return {"reserved": 1}

        @shop.compensates("reserve")
        async def release(command: Command, transaction: Transaction) -> None:
            await transaction.execute("insert into done values (%s, 'released')", (command.saga,))

        @shop.handles("Pay")
        async def pay(command: Command, transaction: Transaction) -> None:
            await transaction.execute("insert into done values (%s, 'paid')", (command.saga,))
            if command.data.get("poor"):
                raise BusinessFailure("the card is declined")

        return shop

    @asynccontextmanager
    async def running(self) -> AsyncIterator[tuple[Orchestrator, Participant]]:
        shop = self.participant()
        orchestrator = Orchestrator(self.orchestrating, [self.definition], starts={self.begin: "purchase"}, tick=0.05)
        publishers = [self.publisher(), self.publisher()]
        subscribers = [
            self.subscriber([self.replies, self.begin], "orchestrator", orchestrator.positions),
            self.subscriber([self.commands], "shop", shop.positions),
        ]
        tasks = [
            asyncio.create_task(orchestrator.run(subscribers[0], publishers[0])),
            asyncio.create_task(shop.run(subscribers[1], publishers[1])),
        ]
        try:
            async with asyncio.timeout(LIMIT):
                yield orchestrator, shop
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await asyncio.gather(*(each.close() for each in subscribers), *(each.close() for each in publishers))
            await shop.close()

    async def done(self) -> dict[str, list[str]]:
        async with connected(self.selling) as connection:
            rows = await (await connection.execute("select saga, what from done order by saga, what")).fetchall()
        found: dict[str, list[str]] = {}
        for saga, what in rows:
            found.setdefault(saga, []).append(what)
        return found


@pytest.fixture
def system(broker: Broker, postgres: PostgreSQL) -> Any:
    with postgres.database() as orchestrating, postgres.database() as selling:

        async def prepare() -> None:
            await install(orchestrating)
            await install_participant(selling)
            async with connected(selling) as connection:
                await connection.execute("create table done (saga text, what text)")

        asyncio.run(prepare())
        yield System(broker, orchestrating, selling)


def test_sagas_complete_and_compensate_over_a_broker(system: System) -> None:
    async def story() -> None:
        async with system.running() as (orchestrator, _):
            sagas = await asyncio.gather(
                *(orchestrator.execute("purchase", f"p{number}", {"poor": number % 3 == 0}) for number in range(60))
            )
            assert [saga.status for saga in sagas] == ["compensated", "completed", "completed"] * 20
            assert sagas[0].cause == "pay: the card is declined"

    asyncio.run(story())
    expected = {f"p{n}": ["released", "reserved"] if n % 3 == 0 else ["paid", "reserved"] for n in range(60)}
    assert asyncio.run(system.done()) == expected


def test_a_message_starts_a_saga_and_its_events_are_published(system: System) -> None:
    async def story() -> list[tuple[str, str | None]]:
        events = Received()
        asking = Envelope(
            id="1", type="PurchaseRequested", source="/shop", time=1, key="p1", data=b'{"items":[4]}', correlation_id="c1"
        )
        async with system.running() as (orchestrator, _):
            publisher = system.publisher()
            await publisher.publish([Message(system.begin, asking), Message(system.begin, asking)])
            await publisher.close()
            await eventually(lambda: orchestrator.counts["SagaCompleted"] == 1)
            assert orchestrator.counts["SagaStarted"] == 1
            reading = system.subscriber([system.events], "events", events.known)
            while len(events.ids) < 4:
                events.keep(await reading.receive(100, 0.2))
            await reading.close()
        return [
            (each.content.type, each.content.correlation_id)
            for each in events.deliveries
            if isinstance(each.content, Envelope)
        ]

    told = asyncio.run(story())
    assert told == [(type, "c1") for type in ("SagaStarted", "StepCompleted", "StepCompleted", "SagaCompleted")]


def test_after_a_restart_all_goes_on_and_nothing_is_done_twice(system: System) -> None:
    async def story() -> None:
        async with system.running() as (orchestrator, _):
            await asyncio.gather(*(orchestrator.start("purchase", f"p{number}", {}) for number in range(100)))
        async with system.running() as (orchestrator, _):
            sagas = await asyncio.gather(*(orchestrator.ended(f"p{number}") for number in range(100)))
            assert {saga.status for saga in sagas} == {"completed"}

    asyncio.run(story())
    assert asyncio.run(system.done()) == {f"p{number}": ["paid", "reserved"] for number in range(100)}


def test_what_is_no_command_becomes_a_dead_letter_that_others_are_told_of_and_holds_up_no_other(system: System) -> None:
    async def story() -> None:
        told = Received()
        system.topics.send(system.commands, [b"\xff"], key=b"k", partition=1)
        system.topics.send(system.replies, [b"{}"], key=b"k", headers=[("x", b"y")])
        async with system.running() as (orchestrator, shop):
            assert (await orchestrator.execute("purchase", "p1", {})).status == "completed"
            await eventually(lambda: shop.counts["buried"] == 1 and orchestrator.counts["buried"] == 1)
            reading = system.subscriber([system.dead], "dead", told.known)
            while not told.ids:
                told.keep(await reading.receive(100, 0.2))
            await reading.close()
        async with connected(system.selling) as connection:
            (letter,) = await dead_letters.listed(connection)
            assert (letter.consumer, letter.value) == ("shop", b"\xff")

    asyncio.run(story())
