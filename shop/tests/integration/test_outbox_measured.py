"""What waits in a service's outbox, and what it could not do, is in its metrics as soon as it runs."""

from __future__ import annotations

import asyncio

import psycopg
from psycopg import AsyncConnection

from prometheus_questions import alerts, exported, unanswered
from sagacity.messaging import Delivery, Envelope, Message, Publisher
from sagacity.messaging.memory import MemoryBroker
from sagacity.messaging.postgres import dead_letters, outbox
from sagacity.messaging.postgres.schema import MESSAGING, upgrade
from shop.chassis import parts
from shop.chassis.messages import Outbox
from shop.chassis.metrics import Metrics

TOLD = Envelope(id="1", type="T", source="/s", time=1, key="7")


def test_what_waits_and_what_was_buried_is_measured_by_service(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in upgrade(MESSAGING, 0):
            connection.execute(statement.encode())

    def away(_: Publisher) -> Publisher:
        broker = MemoryBroker()
        broker.away("nobody knows it")
        return broker.publisher()

    async def go() -> str:
        async with await AsyncConnection.connect(database) as connection:
            await outbox.send(connection, [Message("shop-events", TOLD)])
            await dead_letters.bury(connection, "warehouse", Delivery("shop-events", 0, 0, TOLD), "it cannot be done")
        metrics = Metrics("warehouse")
        async with (
            Outbox(database, parts.Kafka(servers="127.0.0.1:1"), metrics, through=away) as sending,
            asyncio.timeout(60),
        ):
            while "sagacity_dead_letters" not in metrics.text().decode():
                await asyncio.sleep(0.01)
            while await sending.check() is None:
                await asyncio.sleep(0.01)
        return metrics.text().decode()

    text = asyncio.run(go())
    assert 'sagacity_dead_letters{consumer="warehouse"} 1.0' in text
    assert 'sagacity_outbox_messages{outbox="warehouse"} 1.0' in text
    assert 'sagacity_outbox_failing_topics{outbox="warehouse"} 0.0' in text
    asked = [each for each in alerts() if each.where in ("OutboxStands", "TopicRefused", "DeadLetters")]
    assert len(asked) == 3
    assert unanswered(asked, exported([text])) == []
