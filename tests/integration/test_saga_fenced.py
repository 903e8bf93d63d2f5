"""A member whose position was moved by another, or by itself without learning of it: it loses no partition by that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from postgres_stories import connected, eventually
from sagacity.messaging import Envelope, Message, Partition
from sagacity.messaging.memory import MemoryBroker
from sagacity.saga import Orchestrator, Participant, Saga, Step
from sagacity.saga.handlers import Command
from sagacity.saga.messages import reply
from sagacity.saga.postgres import install, install_participant
from sagacity.saga.postgres.transaction import Transaction

ASK = Saga("ask", 1, (Step("one", "One", "shop", "UndoOne"), Step("two", "Two", "shop", "UndoTwo")))


async def _from_the_beginning(_: Sequence[Partition]) -> dict[Partition, int]:
    return {}


@asynccontextmanager
async def beside(run: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    running = asyncio.create_task(run)
    try:
        async with asyncio.timeout(60):
            yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def moved_by_another(dsn: str) -> None:
    async with connected(dsn) as connection:
        assert (await connection.execute("update sagacity.positions set position = position + 1")).rowcount == 1


def command(saga: str) -> Message:
    names = (("sagaattempt", "1"), ("sagadirection", "do"), ("sagaid", saga), ("sagastep", "one"))
    return Message("shop", Envelope(id=f"{saga}/one/do/1", type="One", source="/t", time=1, key=saga, extensions=names))


def test_a_participant_that_is_fenced_reads_on_where_the_position_is(database: str) -> None:
    done: list[str] = []

    async def one(command: Command, _: Transaction) -> None:
        done.append(command.saga)

    async def story() -> None:
        await install_participant(database)
        broker, participant = MemoryBroker(partitions=1), Participant("shop", database)
        participant.handles("One")(one)
        async with beside(participant.run(broker.subscriber(["shop"], "shop", participant.positions))):
            await broker.publisher().publish([command("a")])
            await eventually(lambda: done == ["a"] and participant.counts["done"] == 1)
            await moved_by_another(database)
            await broker.publisher().publish([command("b"), command("c")])
            await eventually(lambda: participant.counts["done"] == 2)
        await participant.close()

    asyncio.run(story())
    assert done[-1] == "c"


def test_an_orchestrator_that_is_fenced_reads_on_where_the_position_is(database: str) -> None:
    async def story() -> None:
        await install(database)
        broker, orchestrator = MemoryBroker(partitions=1), Orchestrator(database, [ASK], tick=0.02)
        commands = broker.subscriber(["shop"], "shop", _from_the_beginning)
        reading = broker.subscriber(["saga-replies"], "orchestrator", orchestrator.positions)

        async def answer(times: int) -> None:
            (delivery,) = await commands.receive(1, 30.0)
            assert isinstance(delivery.content, Envelope)
            await broker.publisher().publish([Message("saga-replies", reply(delivery.content, "/shop", 1))] * times)

        async with beside(orchestrator.run(reading, broker.publisher())):
            await orchestrator.start("ask", "a", {})
            await answer(1)
            await eventually(lambda: orchestrator.counts["StepCompleted"] == 1)
            await moved_by_another(database)
            await answer(2)
            assert (await orchestrator.ended("a")).status == "completed"

    asyncio.run(story())
