"""Sagas on a real PostgreSQL, with participants in the same process."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from postgres_stories import connected, eventually
from saga_shop import KIND, LIMIT, history, kind, purchase, shop
from sagacity.errors import UsageError
from sagacity.messaging import Envelope, Message
from sagacity.messaging.memory import MemoryBroker
from sagacity.saga import Retry, Saga, Step
from sagacity.saga.orchestrator import Orchestrator
from sagacity.saga.postgres import install, listing, orders
from sagacity.testing.servers.postgres import PostgreSQL

pytestmark = pytest.mark.usefixtures(kind.__name__)


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
