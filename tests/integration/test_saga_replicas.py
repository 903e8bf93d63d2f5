"""What a replica does with what another has decided meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from postgres_stories import connected, eventually
from sagacity.messaging import Envelope, Message, Partition
from sagacity.messaging.memory import MemoryBroker
from sagacity.saga import Orchestrator, Replied, Saga, Step
from sagacity.saga.decide import decide
from sagacity.saga.messages import command_message, reply
from sagacity.saga.postgres import install, listing, store

ONE, TWO = Step("one", "One", "shop", "UndoOne"), Step("two", "Two", "shop", "UndoTwo")
ASK = Saga("ask", 1, (ONE, TWO))


async def _from_the_beginning(_: Sequence[Partition]) -> dict[Partition, int]:
    return {}


class Shop:
    """Answers commands one by one, when it is told to."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._publisher = broker.publisher()
        self._commands = broker.subscriber(["shop"], "shop", _from_the_beginning)

    async def command(self) -> Envelope:
        content = (await self._commands.receive(1, 10.0))[0].content
        assert isinstance(content, Envelope)
        return content

    async def answer(self, command: Envelope) -> None:
        await self._publisher.publish([Message("saga-replies", reply(command, "/shop", 1))])


@asynccontextmanager
async def replica(
    dsn: str, broker: MemoryBroker, *given: Saga, reads: bool = True, **options: Any
) -> AsyncIterator[Orchestrator]:
    await install(dsn)
    orchestrator = Orchestrator(dsn, given, tick=0.02, events=False, **options)
    subscriber = broker.subscriber(["saga-replies"], "orchestrator", orchestrator.positions) if reads else None
    task = asyncio.create_task(orchestrator.run(subscriber, broker.publisher()))
    try:
        async with asyncio.timeout(15):
            yield orchestrator
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_a_reply_to_what_another_replica_has_asked_meanwhile_counts(database: str) -> None:
    async def story() -> None:
        broker = MemoryBroker()
        shop = Shop(broker)
        async with replica(database, broker, ASK) as orchestrator, connected(database) as connection:
            await orchestrator.start("ask", "a", {})
            await eventually(lambda: orchestrator.counts["SagaStarted"] == 1)
            saga = await listing.state(connection, "a")
            assert saga is not None
            elsewhere = decide(ASK, saga, Replied("a/one/do/1", success=True), saga.changed + 1)
            await store.write(connection, (), [(1, elsewhere.saga)], elsewhere.events)
            await shop.answer(command_message(ASK, elsewhere.saga, elsewhere.commands[0]).envelope)
            assert (await orchestrator.ended("a")).status == "completed"
            assert orchestrator.counts["ignored foreign"] == 0

    asyncio.run(story())


def test_a_replica_learns_of_a_version_that_came_after_it_began(database: str) -> None:
    newer = Saga("ask", 2, (ONE, TWO))

    async def story() -> None:
        broker = MemoryBroker()
        shop = Shop(broker)
        async with replica(database, broker, ASK) as orchestrator:
            async with replica(database, broker, newer, reads=False) as other:
                await other.start("ask", "a", {})
            await shop.answer(await shop.command())
            assert (await shop.command()).type == "Two"
            assert orchestrator.counts["SagaParked"] == 0

    asyncio.run(story())


def test_a_saga_whose_state_can_be_read_again_goes_on(database: str) -> None:
    now = [1_000_000]

    async def story() -> None:
        options: dict[str, Any] = {"reads": False, "clock": lambda: now[0]}
        async with replica(database, MemoryBroker(), ASK, **options) as orchestrator, connected(database) as connection:

            async def stands(status: str) -> None:
                while [line.status for line in await listing.listed(connection)] != [status]:
                    await asyncio.sleep(0.01)

            await orchestrator.start("ask", "a", {})
            await connection.execute("update sagacity.sagas set state = '?' || state, due = 0")
            await stands("parked")
            await connection.execute("update sagacity.sagas set state = substr(state, 2)")
            now[0] += 61_000_000
            await stands("running")
            assert orchestrator.counts["StepRetried"] == 1

    asyncio.run(story())


def test_a_saga_that_has_gone_on_is_not_parked_for_what_it_was(database: str) -> None:
    async def story() -> None:
        async with replica(database, MemoryBroker(), ASK, reads=False) as orchestrator, connected(database) as connection:
            await orchestrator.start("ask", "a", {})
            await store.retire(connection, {"a": 0}, 1)
            assert [line.status for line in await listing.listed(connection)] == ["running"]

    asyncio.run(story())
