"""Sagas that are asked for: by messages, and by callers whose orchestrator stops."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import msgspec
import pytest

from postgres_stories import Publishing, connected, eventually
from sagacity.errors import StoreError
from sagacity.messaging import Envelope, Message
from sagacity.messaging.memory import MemoryBroker
from sagacity.messaging.postgres import dead_letters
from sagacity.saga import Orchestrator, Saga, Step
from sagacity.saga.postgres import install, listing

ASK = Saga("ask", 1, (Step("one", "One", "shop", "UndoOne"),))


def _order(key: str, id: str) -> Message:
    return Message("orders", Envelope(id=id, type="Ordered", source="/site", time=1, key=key, data=b"{}"))


def test_a_message_without_a_key_starts_no_saga_and_becomes_a_dead_letter(database: str) -> None:
    async def story() -> None:
        await install(database)
        broker = MemoryBroker()
        orchestrator = Orchestrator(database, [ASK], starts={"orders": "ask"}, tick=0.02)
        reading = broker.subscriber(["orders"], "orchestrator", orchestrator.positions)
        task = asyncio.create_task(orchestrator.run(reading, broker.publisher()))
        try:
            await broker.publisher().publish([_order("", "e1"), _order("", "e2"), _order("a", "e3")])
            await eventually(lambda: orchestrator.counts["buried"] == 2 and orchestrator.counts["SagaStarted"] == 1)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        async with connected(database) as connection:
            assert [line.id for line in await listing.listed(connection)] == ["a"]
            reasons = {letter.reason for letter in await dead_letters.listed(connection)}
            assert all("no key" in reason for reason in reasons)

    asyncio.run(story())


def test_what_becomes_a_dead_letter_of_the_orchestrator_is_told_of_in_a_topic(database: str) -> None:
    """What cannot be read, what starts nothing, and what cannot be settled, each by a notice of its own."""

    async def story() -> None:
        await install(database)
        broker, sent = MemoryBroker(), Publishing()
        orchestrator = Orchestrator(database, [ASK], starts={"orders": "ask"}, dead_letters="buried", tick=0.02)
        reading = broker.subscriber(["orders"], "orchestrator", orchestrator.positions)
        task = asyncio.create_task(orchestrator.run(reading, sent))
        try:
            unreadable = b"no\x00key"
            broker.put("orders", unreadable, [], b"nothing")
            await broker.publisher().publish([_order("", "e1"), _order("", "e2"), _order("a\x00b", "e3"), _order("c", "e4")])
            await eventually(lambda: [each.topic for each in sent.kept].count("buried") == 4)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        async with connected(database) as connection:
            kept = await dead_letters.listed(connection)
        told = [each.envelope for each in sent.kept if each.topic == "buried"]
        notices = [msgspec.json.decode(each.data) for each in told]
        assert {each.get("id") for each in notices} == {None, "e1", "e2", "e3"}
        assert {each["consumer"] for each in notices} == {letter.consumer for letter in kept} == {"orchestrator"}
        assert {each["reason"] for each in notices} == {letter.reason for letter in kept}
        assert len({each.id for each in told}) == 4

    asyncio.run(story())


def test_who_waits_for_an_orchestrator_that_stops_is_told(database: str) -> None:
    async def story() -> None:
        await install(database)
        orchestrator = Orchestrator(database, [ASK], tick=0.02)
        task = asyncio.create_task(orchestrator.run())
        await orchestrator.start("ask", "a", {})
        async with connected(database) as connection, connection.transaction():
            await connection.execute("lock table sagacity.sagas in access exclusive mode")
            waiting = [
                asyncio.create_task(orchestrator.start("ask", "b", {})),
                asyncio.create_task(orchestrator.execute("ask", "c", {})),
            ]
            await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            for each in waiting:
                with pytest.raises(StoreError, match="has stopped"):
                    async with asyncio.timeout(10):
                        await each

    asyncio.run(story())


def test_who_waits_for_an_end_is_told_when_the_orchestrator_stops(database: str) -> None:
    async def story() -> None:
        await install(database)
        orchestrator = Orchestrator(database, [ASK], tick=0.02)
        task = asyncio.create_task(orchestrator.run())
        waiting = asyncio.create_task(orchestrator.execute("ask", "a", {}))
        await eventually(lambda: orchestrator.counts["SagaStarted"] == 1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        with pytest.raises(StoreError, match="has stopped"):
            async with asyncio.timeout(10):
                await waiting

    asyncio.run(story())
