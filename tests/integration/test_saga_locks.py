"""Who waits for a resource, and who is found when it has become free."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from postgres_stories import connected
from sagacity.saga import Command, Orchestrator, Participant, Saga, Step, Transaction
from sagacity.saga.postgres import install, install_participant, store

MOVE = Saga("move", 1, (Step("do", "Do", "shop", "Undo"),), resource=("input.account", "input.to.account"))


async def _started(dsn: str, sagas: dict[str, dict[str, object]], seen: list[str], *, gate: asyncio.Event) -> Orchestrator:
    """Sagas that run until the gate opens, or have to wait."""
    shop = Participant("shop", dsn)

    @shop.handles("Do")
    async def do(command: Command, _: Transaction) -> None:
        seen.append(command.saga)
        await gate.wait()

    orchestrator = Orchestrator(dsn, [MOVE], local={"shop": shop}, tick=0.02)
    running = asyncio.create_task(orchestrator.run())
    try:
        for id, input in sagas.items():
            await orchestrator.start("move", id, input)
        if gate.is_set():
            for id in sagas:
                await orchestrator.ended(id)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await shop.close()
    return orchestrator


def test_what_was_freed_finds_who_is_next_for_it_and_waits_for_nothing_else(database: str) -> None:
    async def story() -> None:
        await install(database)
        await install_participant(database)
        sagas: dict[str, dict[str, object]] = {
            "a1": {"account": "a"}, "a2": {"account": "a"}, "a3": {"account": "a"},
            "b1": {"account": "b"}, "b2": {"account": "b"}, "c1": {"account": "c"},
        }  # fmt: skip
        await _started(database, sagas, [], gate=asyncio.Event())
        async with connected(database) as connection:
            rows = await (await connection.execute("select resource, saga from sagacity.saga_locks")).fetchall()
            resource = {saga: name for name, saga in rows}
            assert await store.released(connection, 10) == []
            await store.unlock(connection, ["a1", "b1"])
            assert await store.released(connection, 10, {resource["a1"]}) == ["a2"]
            assert await store.released(connection, 10, {resource["c1"]}) == []
            assert sorted(await store.released(connection, 10)) == ["a2", "b2"]

    asyncio.run(story())


def test_who_freed_a_resource_and_died_before_it_looked_has_left_nobody_waiting(database: str) -> None:
    async def story() -> None:
        await install(database)
        await install_participant(database)
        waiting: dict[str, dict[str, object]] = {"first": {"account": "a"}, "second": {"account": "a"}}
        await _started(database, waiting, [], gate=asyncio.Event())
        async with connected(database) as connection:
            await store.unlock(connection, ["first"])
        opened = asyncio.Event()
        seen: list[str] = []
        opened.set()
        async with asyncio.timeout(60):
            await _started(database, waiting, seen, gate=opened)
        assert "second" in seen

    asyncio.run(story())
