"""A shop of one participant on a real PostgreSQL, and the orchestrator of its purchases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any

import pytest

from postgres_stories import connected
from sagacity.saga import Saga, Step
from sagacity.saga.handlers import BusinessFailure, Command
from sagacity.saga.orchestrator import Orchestrator
from sagacity.saga.participant import Participant
from sagacity.saga.patience import Patience
from sagacity.saga.postgres import install, install_participant, listing
from sagacity.saga.postgres.transaction import Transaction

__all__ = ["KIND", "LIMIT", "Shop", "history", "kind", "purchase", "running", "shop"]

LIMIT = 60.0
KIND: ContextVar[str] = ContextVar("KIND")


@pytest.fixture(params=["local", "inline"])
def kind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each story twice: with a participant that has transactions of its own, and one within the orchestrator's."""
    token = KIND.set(request.param)
    yield
    KIND.reset(token)


def purchase(version: int = 1, **changes: Any) -> Saga:
    fields: dict[str, Any] = {"name": "purchase", "version": version, "resource": None, **changes}
    return Saga(
        steps=(
            Step("reserve", "Reserve", "shop", "Release"),
            Step("order", "Order", "shop", "CancelOrder"),
            Step("pay", "Pay", "shop", kind="pivot"),
            Step("ship", "Ship", "shop", kind="retriable"),
        ),
        **fields,
    )


class Shop:
    """A participant that keeps what was done in a table, and fails where the saga's input says so."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.participant = Participant("shop", dsn, patience=Patience(attempts=3, first=0.01))
        self.gates: dict[str, asyncio.Event] = {}
        self.troubles: dict[str, int] = {}
        self.seen: list[str] = []
        for name in ("Reserve", "Order", "Pay", "Ship"):
            self.participant.handles(name)(self.handle)
        for name in ("reserve", "order"):
            self.participant.compensates(name)(self.handle)

    async def handle(self, command: Command, transaction: Transaction) -> dict[str, str]:
        name = f"{command.direction} {command.step}"
        self.seen.append(f"{command.saga} {name}")
        await transaction.execute("insert into done (saga, what) values (%s, %s)", (command.saga, name))
        if name in self.gates:
            await self.gates[name].wait()
        if self.troubles.get(name, 0) > 0:
            self.troubles[name] -= 1
            raise ConnectionError("a moment, please")
        if command.direction == "do" and command.data.get("fails") == command.step:
            raise BusinessFailure("there is none left")
        return {"step": command.step}

    async def done(self, saga: str) -> list[str]:
        async with connected(self.dsn) as connection:
            rows = await connection.execute("select what from done where saga = %s order by number", (saga,))
            return [what for (what,) in await rows.fetchall()]


@asynccontextmanager
async def running(orchestrator: Orchestrator) -> AsyncIterator[Orchestrator]:
    task = asyncio.create_task(orchestrator.run())
    try:
        async with asyncio.timeout(LIMIT):
            yield orchestrator
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def shop(dsn: str, *given: Saga, **options: Any) -> AsyncIterator[tuple[Shop, Orchestrator]]:
    await install(dsn)
    await install_participant(dsn)
    async with connected(dsn) as connection:
        await connection.execute(
            "create table if not exists done (number bigint generated always as identity, saga text, what text)"
        )
    selling = Shop(dsn)
    options = {"events": False, "tick": 0.02, KIND.get(): {"shop": selling.participant}, **options}
    orchestrator = Orchestrator(dsn, given or [purchase()], **options)
    async with running(orchestrator):
        yield selling, orchestrator
    await selling.participant.close()


async def history(dsn: str, saga: str) -> list[str]:
    async with connected(dsn) as connection:
        shown = await listing.shown(connection, saga)
        assert shown is not None
        assert [event.number for event in shown.history] == list(range(1, len(shown.history) + 1))
        return [event.type if event.step is None else f"{event.type} {event.step}" for event in shown.history]
