"""A commit that took effect, and whose answer was lost: what it caused within the process is handed over all the same."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from fakes.cutting import cutting
from sagacity.saga import Orchestrator, Participant, Saga, Step
from sagacity.saga.handlers import Command
from sagacity.saga.postgres import install, install_participant
from sagacity.saga.postgres.transaction import Transaction

ASK = Saga("ask", 1, (Step("one", "One", "shop", "UndoOne"), Step("two", "Two", "shop", "UndoTwo")))


@pytest.mark.parametrize("kind", ["local", "inline"])
def test_a_start_whose_answer_is_lost_goes_on_at_once(database: str, kind: str) -> None:
    async def done(command: Command, transaction: Transaction) -> None:
        del command, transaction

    async def story() -> None:
        await install(database)
        await install_participant(database)
        participant = Participant("shop", database)
        participant.handles("One")(done)
        participant.handles("Two")(done)
        async with cutting(database) as way:
            orchestrator = Orchestrator(way.dsn, [ASK], tick=0.05, events=False, **{kind: {"shop": participant}})  # type: ignore[arg-type]
            running = asyncio.create_task(orchestrator.run())
            try:
                async with asyncio.timeout(25):
                    assert (await orchestrator.execute("ask", "warm", {})).status == "completed"
                    way.needle = b"cut-off"
                    saga = await orchestrator.execute("ask", "cut-off", {})
                assert way.cut == 1
                assert saga.status == "completed"
                assert [step.attempt for step in saga.steps.values()] == [1, 1]
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running
        await participant.close()

    asyncio.run(story())
