"""What an orchestrator that is behind with its reading does, and does not do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from postgres_stories import connected, eventually
from sagacity.messaging import Envelope, Message, Partition
from sagacity.messaging.memory import MemoryBroker
from sagacity.saga import Orchestrator, Saga, Step
from sagacity.saga.messages import reply
from sagacity.saga.postgres import install, listing, store

ASK = Saga("ask", 1, (Step("one", "One", "shop", "UndoOne"), Step("two", "Two", "shop", "UndoTwo")))
SECOND = 1_000_000


async def _from_the_beginning(_: Sequence[Partition]) -> dict[Partition, int]:
    return {}


def test_timers_wait_while_a_replica_is_behind_but_not_for_ever(database: str) -> None:
    async def story() -> None:
        await install(database)
        orchestrator = Orchestrator(database, [ASK])
        running = asyncio.create_task(orchestrator.run())
        try:
            await orchestrator.start("ask", "a", {})
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        async with connected(database) as connection:
            saga = await listing.state(connection, "a")
            assert saga is not None
            assert saga.due is not None
            assert list(await store.due(connection, saga.due, 10)) == ["a"]
            await store.behind(connection, "replica", 600.0)
            assert list(await store.due(connection, saga.due + 59 * SECOND, 10)) == []
            assert list(await store.due(connection, saga.due + 60 * SECOND, 10)) == ["a"]
            await store.behind(connection, "replica", 0.0)
            assert list(await store.due(connection, saga.due, 10)) == ["a"]

    asyncio.run(story())


def test_a_reply_that_does_not_count_is_counted_with_the_next_that_does(database: str) -> None:
    async def story() -> None:
        await install(database)
        broker = MemoryBroker()
        orchestrator = Orchestrator(database, [ASK], tick=0.02)
        reading = broker.subscriber(["saga-replies"], "orchestrator", orchestrator.positions)
        running = asyncio.create_task(orchestrator.run(reading, broker.publisher()))
        commands = broker.subscriber(["shop"], "shop", _from_the_beginning)

        async def answer(times: int) -> None:
            command: Any = (await commands.receive(1, 30.0))[0].content
            assert isinstance(command, Envelope)
            await broker.publisher().publish([Message("saga-replies", reply(command, "/shop", 1))] * times)

        try:
            async with asyncio.timeout(60):
                await orchestrator.start("ask", "a", {})
                await answer(3)
                await eventually(lambda: orchestrator.counts["ignored doubled"] == 2)
                async with connected(database) as connection:
                    kept = (await store.read(connection, ["a"]))["a"]
                assert kept.revision == 2
                await answer(1)
                assert (await orchestrator.ended("a")).doubled == 2
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    asyncio.run(story())
