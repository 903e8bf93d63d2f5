"""A running saga stays on the version of its definition, until it is moved by an explicit function."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from postgres_stories import connected, eventually
from saga_shop import LIMIT, history, kind, purchase, shop
from sagacity.errors import UsageError
from sagacity.saga import Saga, Step
from sagacity.saga.orchestrator import Orchestrator
from sagacity.saga.postgres import definitions
from sagacity.saga.state import SagaState, StepState

pytestmark = pytest.mark.usefixtures(kind.__name__)


def test_a_running_saga_stays_on_its_version_until_it_is_migrated(database: str) -> None:
    async def story() -> None:
        async with shop(database) as (selling, orchestrator):
            selling.gates["do order"] = asyncio.Event()
            await orchestrator.start("purchase", "stays", {})
            await eventually(lambda: "stays do order" in selling.seen)
        changed = Saga("purchase", 2, (*purchase().steps, Step("thank", "Reserve2", "shop", kind="retriable")))
        async with shop(database, changed) as (selling, orchestrator), connected(database) as connection:
            selling.participant.handles("Reserve2")(selling.handle)
            stays = await orchestrator.ended("stays")
            assert (stays.version, stays.status, list(stays.steps)) == (1, "completed", ["reserve", "order", "pay", "ship"])
            newer = await orchestrator.execute("purchase", "newer", {})
            assert (newer.version, newer.status) == (2, "completed")
            kept = await definitions.versions(connection)
            assert [(each.name, each.version, each.open) for each in kept] == [("purchase", 1, 0), ("purchase", 2, 0)]

    asyncio.run(story())


def test_another_definition_of_the_same_version_is_refused(database: str) -> None:
    async def story() -> None:
        async with shop(database) as (_, orchestrator):
            await orchestrator.execute("purchase", "p1", {})
        other = Saga("purchase", 1, (Step("reserve", "Reserve", "shop", "Release"),))
        with pytest.raises(UsageError, match="version 2"):
            async with asyncio.timeout(LIMIT):
                await Orchestrator(database, [other]).run()

    asyncio.run(story())


def test_a_running_saga_is_moved_to_a_new_version_by_an_explicit_function(database: str) -> None:
    newer = Saga("purchase", 2, (*purchase().steps, Step("thank", "Thank", "shop", kind="retriable")))

    def change(saga: SagaState) -> SagaState:
        return replace(saga, version=2, steps={**saga.steps, "thank": StepState()})

    async def story() -> None:
        async with shop(database) as (selling, orchestrator):
            selling.gates["do order"] = asyncio.Event()
            await orchestrator.start("purchase", "p1", {})
            await eventually(lambda: "p1 do order" in selling.seen)
        async with connected(database) as connection:
            with pytest.raises(UsageError, match="its steps are"):
                async with connection.transaction():
                    await definitions.migrate(connection, newer, 1, lambda saga: replace(saga, version=2), by="ada")
            async with connection.transaction():
                assert await definitions.migrate(connection, newer, 1, change, by="ada") == 1
            async with connection.transaction():
                assert await definitions.migrate(connection, newer, 1, change, by="ada") == 0
        async with shop(database, newer) as (selling, orchestrator):
            selling.participant.handles("Thank")(selling.handle)
            saga = await orchestrator.ended("p1")
            assert (saga.version, saga.status, saga.steps["thank"].status) == (2, "completed", "done")
            assert "SagaMigrated" in await history(database, "p1")

    asyncio.run(story())
