"""Sagas on a real PostgreSQL, with participants in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from postgres_stories import connected, eventually
from sagacity.errors import UsageError
from sagacity.messaging import Envelope, Message
from sagacity.messaging.memory import MemoryBroker
from sagacity.saga import Retry, Saga, Step
from sagacity.saga.handlers import BusinessFailure, Command
from sagacity.saga.orchestrator import Orchestrator
from sagacity.saga.participant import Participant
from sagacity.saga.patience import Patience
from sagacity.saga.postgres import definitions, install, install_participant, listing, orders
from sagacity.saga.postgres.transaction import Transaction
from sagacity.saga.state import SagaState, StepState
from sagacity.testing.servers.postgres import PostgreSQL

LIMIT = 60.0
KIND: ContextVar[str] = ContextVar("KIND")


@pytest.fixture(autouse=True, params=["local", "inline"])
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


def test_a_saga_does_its_steps_in_order_and_completes(database: str) -> None:
    async def story() -> None:
        async with shop(database) as (selling, orchestrator):
            saga = await orchestrator.execute("purchase", "p1", {"items": [4, 5]})
            assert saga.status == "completed"
            assert bytes(saga.replies["pay"]) == b'{"step":"pay"}'
            assert await selling.done("p1") == ["do reserve", "do order", "do pay", "do ship"]
            assert await history(database, "p1") == [
                "SagaStarted", "StepCompleted reserve", "StepCompleted order", "StepCompleted pay", "StepCompleted ship",
                "SagaCompleted",
            ]  # fmt: skip
            assert orchestrator.counts["SagaCompleted"] == 1

    asyncio.run(story())


def test_a_failed_step_is_not_compensated_and_all_before_it_are_in_reverse(database: str) -> None:
    async def story() -> None:
        async with shop(database) as (selling, orchestrator):
            saga = await orchestrator.execute("purchase", "p1", {"fails": "pay"})
            assert saga.status == "compensated"
            assert saga.cause == "pay: there is none left"
            assert await selling.done("p1") == ["do reserve", "do order", "undo order", "undo reserve"]

    asyncio.run(story())


def test_a_saga_is_started_once_however_often_it_is_asked_for(database: str) -> None:
    async def story() -> None:
        async with shop(database) as (selling, orchestrator):
            asked = await asyncio.gather(*(orchestrator.start("purchase", "p1", {}) for _ in range(20)))
            assert sorted(asked) == [False] * 19 + [True]
            await orchestrator.ended("p1")
            assert not await orchestrator.start("purchase", "p1", {"other": 1})
            assert await selling.done("p1") == ["do reserve", "do order", "do pay", "do ship"]
            with pytest.raises(UsageError, match="no saga 'sale'"):
                await orchestrator.start("sale", "p1", {})
            with pytest.raises(UsageError, match="no saga p2"):
                await orchestrator.ended("p2")

    asyncio.run(story())


def test_many_sagas_share_transactions_and_each_is_done_once(database: str) -> None:
    async def story() -> None:
        async with shop(database) as (_, orchestrator):
            sagas = await asyncio.gather(
                *(
                    orchestrator.execute("purchase", f"p{number}", {"fails": "pay" if number % 5 == 0 else None})
                    for number in range(200)
                )
            )
            assert [saga.status for saga in sagas] == ["compensated", *["completed"] * 4] * 40
            async with connected(database) as connection:
                rows = await connection.execute("select saga, what from done group by 1, 2 having count(*) > 1")
                assert await rows.fetchall() == []
                assert await listing.counts(connection) == {
                    ("purchase", 1, "completed"): 160,
                    ("purchase", 1, "compensated"): 40,
                }

    asyncio.run(story())


def test_what_may_pass_is_tried_again_and_leaves_nothing_half_done(database: str) -> None:
    async def story() -> None:
        async with shop(database) as (selling, orchestrator):
            selling.troubles["do order"] = 2
            assert (await orchestrator.execute("purchase", "p1", {})).status == "completed"
            assert await selling.done("p1") == ["do reserve", "do order", "do pay", "do ship"]
            assert selling.participant.counts["retried"] == 2

    asyncio.run(story())


def test_a_command_that_nobody_can_do_becomes_a_dead_letter_and_the_saga_times_out(database: str) -> None:
    hasty = Retry(attempts=1, first=timedelta(0))

    async def story() -> None:
        definition = Saga("short", 1, (Step("a", "A", "shop", "UndoA", timeout=timedelta(milliseconds=50), retry=hasty),))
        async with shop(database, definition) as (selling, orchestrator):
            saga = await orchestrator.execute("short", "s1", {})
            assert saga.status == "compensated"
            assert selling.participant.counts["buried"] == 1
            async with connected(database) as connection:
                rows = await connection.execute("select consumer, reason from sagacity.dead_letters")
                assert await rows.fetchall() == [("shop", "nothing here handles 'A', of the step 'a'")]

    asyncio.run(story())


def test_after_a_crash_what_was_under_way_goes_on_at_once(database: str) -> None:
    async def story() -> None:
        async with shop(database) as (selling, orchestrator):
            selling.gates["do order"] = asyncio.Event()
            await asyncio.gather(*(orchestrator.start("purchase", f"p{number}", {}) for number in range(20)))
            await eventually(lambda: any("do order" in seen for seen in selling.seen))
        async with shop(database) as (selling, orchestrator):
            sagas = await asyncio.gather(*(orchestrator.ended(f"p{number}") for number in range(20)))
            assert {saga.status for saga in sagas} == {"completed"}
            for number in range(20):
                assert await selling.done(f"p{number}") == ["do reserve", "do order", "do pay", "do ship"]

    asyncio.run(story())


def test_a_crash_of_the_database_stops_nothing_for_good(postgres: PostgreSQL, database: str) -> None:
    async def story() -> None:
        async with shop(database) as (selling, orchestrator):
            await orchestrator.execute("purchase", "p0", {})
            going = [asyncio.create_task(orchestrator.start("purchase", f"p{number}", {})) for number in range(1, 50)]
            await asyncio.to_thread(postgres.kill)
            await eventually(lambda: orchestrator.trouble is not None)
            await asyncio.to_thread(postgres.start)
            await asyncio.gather(*going)
            sagas = await asyncio.gather(*(orchestrator.ended(f"p{number}") for number in range(50)))
            assert {saga.status for saga in sagas} == {"completed"}
            for number in range(50):
                assert await selling.done(f"p{number}") == ["do reserve", "do order", "do pay", "do ship"]

    asyncio.run(story())


def test_an_orchestrator_with_nothing_to_do_is_well_again_when_the_database_is_back(
    postgres: PostgreSQL, database: str
) -> None:
    async def story() -> None:
        async with shop(database) as (_, orchestrator):
            await asyncio.to_thread(postgres.kill)
            await eventually(lambda: orchestrator.trouble is not None)
            await asyncio.to_thread(postgres.start)
            await eventually(lambda: orchestrator.trouble is None)

    asyncio.run(story())


def test_two_replicas_share_the_sagas_and_do_nothing_twice(database: str) -> None:
    async def story() -> None:
        async with shop(database) as (selling, one), shop(database) as (_, other):
            started = [one.start("purchase", f"p{number}", {}) for number in range(100)]
            started += [other.start("purchase", f"p{number}", {}) for number in range(100)]
            assert sum(await asyncio.gather(*started)) == 100
            sagas = await asyncio.gather(*(other.ended(f"p{number}") for number in range(100)))
            assert {saga.status for saga in sagas} == {"completed"}
            for number in range(100):
                assert await selling.done(f"p{number}") == ["do reserve", "do order", "do pay", "do ship"]

    asyncio.run(story())


def test_a_position_that_was_moved_on_unseen_holds_nothing_up(database: str) -> None:
    """As after a commit whose answer was lost with the connection."""

    def begun(id: str) -> Message:
        return Message("begin", Envelope(id=id, type="Begin", source="/test", time=1, key=id, data=b"{}"))

    async def story() -> None:
        await install(database)
        orchestrator = Orchestrator(database, [purchase()], starts={"begin": "purchase"}, events=False)
        broker = MemoryBroker(partitions=1)
        reading = broker.subscriber(["begin"], "orchestrator", orchestrator.positions)
        task = asyncio.create_task(orchestrator.run(reading))
        async with asyncio.timeout(LIMIT), connected(database) as connection:
            await broker.publisher().publish([begun("s1")])
            while await listing.state(connection, "s1") is None:
                await asyncio.sleep(0.01)
            await connection.execute("update sagacity.positions set position = 2")
            await broker.publisher().publish([begun("s2"), begun("s3")])
            while await listing.state(connection, "s3") is None:
                await asyncio.sleep(0.01)
            assert await listing.state(connection, "s2") is None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await reading.close()

    asyncio.run(story())


def test_sagas_on_one_resource_run_one_after_another_in_the_order_of_their_start(database: str) -> None:
    async def story() -> None:
        async with shop(database, purchase(resource="input.account")) as (selling, orchestrator):
            for number in range(4):
                await orchestrator.start("purchase", f"a{number}", {"account": 17})
            await orchestrator.start("purchase", "b", {"account": 18})
            sagas = [await orchestrator.ended(id) for id in ("a0", "a1", "a2", "a3", "b")]
            assert {saga.status for saga in sagas} == {"completed"}
            of_account = [seen.split()[0] for seen in selling.seen if seen.startswith("a")]
            assert of_account == ["a0"] * 4 + ["a1"] * 4 + ["a2"] * 4 + ["a3"] * 4
            async with connected(database) as connection:
                assert await (await connection.execute("select count(*) from sagacity.saga_locks")).fetchone() == (0,)

    asyncio.run(story())


def test_a_saga_that_waits_for_a_resource_can_be_seen(database: str) -> None:
    KIND.set("local")  # inline, a handler that waits would hold up the start of the second

    async def story() -> None:
        async with shop(database, purchase(resource="input.account")) as (selling, orchestrator):
            selling.gates["do order"] = asyncio.Event()
            await orchestrator.start("purchase", "first", {"account": 17})
            await orchestrator.start("purchase", "second", {"account": 17})
            async with connected(database) as connection:
                assert [line.id for line in await listing.listed(connection, status="waiting")] == ["second"]
            selling.gates["do order"].set()
            assert (await orchestrator.ended("second")).status == "completed"

    asyncio.run(story())


def test_a_parked_saga_goes_on_by_an_operators_order_and_the_order_is_kept(database: str) -> None:
    once = Retry(attempts=1, first=timedelta(0), on="failure")
    definition = Saga(
        "sale",
        1,
        (Step("pay", "Pay", "shop", kind="pivot"), Step("ship", "Ship", "shop", kind="retriable", retry=once)),
    )

    async def story() -> None:
        async with shop(database, definition) as (_, orchestrator), connected(database) as connection:
            await orchestrator.start("sale", "s1", {"fails": "ship"})
            while (await listing.listed(connection))[0].status != "parked":
                await asyncio.sleep(0.01)
            await orchestrator.order("s1", "compensate", by="ada", reason="the customer asks")
            await orchestrator.order("s1", "skip", by="ada", step="ship", reason="shipped by hand")
            saga = await orchestrator.ended("s1")
            assert saga.status == "completed"
            assert saga.steps["ship"].status == "skipped"
            skipped, refused = await orders.listed(connection, saga="s1")
            assert (skipped.order, skipped.by, skipped.reason, skipped.outcome) == ("skip", "ada", "shipped by hand", "done")
            assert refused.order == "compensate"
            assert refused.outcome not in (None, "done")
            await orchestrator.order("nowhere", "retry", by="ada")
            while (await orders.listed(connection, saga="nowhere"))[0].done is None:
                await asyncio.sleep(0.01)
            assert (await orders.listed(connection, saga="nowhere"))[0].outcome == "there is no saga nowhere"

    asyncio.run(story())


def test_a_poison_saga_is_quarantined_and_holds_up_no_other(database: str) -> None:
    async def story() -> None:
        async with shop(database) as (selling, orchestrator), connected(database) as connection:
            selling.gates["do order"] = asyncio.Event()
            await orchestrator.start("purchase", "unknown", {})
            await orchestrator.start("purchase", "broken", {})
            await eventually(lambda: "unknown do order" in selling.seen or "broken do order" in selling.seen)
            for id, changes in (
                ("unknown", "version = 9, state = replace(state, '\"version\":1', '\"version\":9')"),
                ("broken", "state = '{', due = 1"),
            ):
                await connection.execute(f"update sagacity.sagas set revision = revision + 1, {changes} where id = '{id}'")
            selling.gates["do order"].set()
            assert (await orchestrator.execute("purchase", "good", {})).status == "completed"
            while {line.id for line in await listing.listed(connection, status="parked")} != {"unknown", "broken"}:
                await asyncio.sleep(0.01)
            unknown = await listing.state(connection, "unknown")
            assert unknown is not None
            assert "purchase 9 is not known" in (unknown.quarantine or "")

    asyncio.run(story())


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
