"""What orchestrators, participants and relays measure, and how Prometheus gets it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Literal
from urllib.request import urlopen

import psycopg

from postgres_stories import Publishing, connected, eventually
from sagacity.messaging import Delivery, Envelope, Message
from sagacity.messaging.memory import MemoryBroker
from sagacity.messaging.meter import Tally
from sagacity.messaging.postgres import Relay, dead_letters
from sagacity.saga import BusinessFailure, Command, Orchestrator, Participant, Retry, Saga, Step, Transaction
from sagacity.saga.messages import Failure, reply
from sagacity.saga.metrics import MEASURES
from sagacity.saga.postgres import install, install_participant
from sagacity.saga.prometheus import serve, text
from sagacity.testing.servers.ports import free_ports

SOON = timedelta(milliseconds=20)
PURCHASE = Saga(
    "purchase",
    1,
    (
        Step("reserve", "Reserve", "shop", "Release", compensation_retry=Retry(2, first=SOON)),
        Step("pay", "Pay", "shop", kind="pivot", retry=Retry(2, first=SOON)),
    ),
)


def _shop(dsn: str) -> Participant:
    shop = Participant("shop", dsn)

    @shop.handles("Reserve")
    async def reserve(command: Command, _: Transaction) -> None: ...

    @shop.compensates("Release")
    async def release(command: Command, _: Transaction) -> None:
        if command.data.get("jam"):
            raise BusinessFailure("jammed")

    @shop.handles("Pay")
    async def pay(command: Command, _: Transaction) -> None:
        if command.data.get("poor"):
            raise BusinessFailure("declined")
        if command.data.get("unsure") and command.attempt == 1:
            raise BusinessFailure("come again", transient=True)

    return shop


@asynccontextmanager
async def _running(
    dsn: str, within: Literal["local", "inline"] = "local"
) -> AsyncIterator[tuple[Orchestrator, Participant, Tally]]:
    await install(dsn)
    await install_participant(dsn)
    shop = _shop(dsn)
    given: Any = {within: {"shop": shop}}
    orchestrator = Orchestrator(dsn, [PURCHASE], tick=0.02, **given)
    assert isinstance(orchestrator.meter, Tally)
    running = asyncio.create_task(orchestrator.run(publisher=Publishing()))
    try:
        async with asyncio.timeout(60):
            yield orchestrator, shop, orchestrator.meter
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await shop.close()


def test_what_becomes_of_sagas_is_measured(database: str) -> None:
    async def story() -> None:
        async with _running(database) as (orchestrator, shop, tally):
            await orchestrator.execute("purchase", "good", {})
            await orchestrator.execute("purchase", "unsure", {"unsure": True})
            await orchestrator.execute("purchase", "poor", {"poor": True})
            await orchestrator.start("purchase", "jammed", {"poor": True, "jam": True})
            await eventually(lambda: tally.value("sagacity_saga_parked_total", "purchase") == 1)
            assert tally.value("sagacity_sagas_started_total", "purchase") == 4
            assert tally.value("sagacity_sagas_ended_total", "purchase", "completed") == 2
            assert tally.value("sagacity_sagas_ended_total", "purchase", "compensated") == 1
            assert tally.value("sagacity_saga_step_failures_total", "purchase", "pay") == 2
            assert tally.value("sagacity_saga_retries_total", "purchase", "pay", "do") == 1
            assert tally.value("sagacity_saga_retries_total", "purchase", "reserve", "undo") == 1
            seconds = tally.histograms["sagacity_saga_step_seconds"]
            assert sum(seconds["purchase", "reserve", "do"].counts) == 4
            assert sum(seconds["purchase", "reserve", "undo"].counts) == 1
            assert sum(tally.histograms["sagacity_saga_seconds"]["purchase", "completed"].counts) == 2
            assert isinstance(shop.meter, Tally)
            assert shop.meter.value("sagacity_participant_commands_total", "shop", "done") == 7
            assert shop.meter.value("sagacity_participant_commands_total", "shop", "failed") == shop.counts["failed"] == 5
            assert sum(shop.meter.histograms["sagacity_participant_seconds"]["shop", "Pay"].counts) == 5
            told = text(tally, shop.meter).decode()
            assert 'sagacity_sagas_started_total{saga="purchase"} 4.0' in told
            assert 'sagacity_saga_step_seconds_bucket{direction="do",le="+Inf",saga="purchase",step="reserve"} 4.0' in told

    asyncio.run(story())


def test_what_is_done_in_the_orchestrators_own_transactions_is_measured_too(database: str) -> None:
    async def story() -> None:
        async with _running(database, "inline") as (orchestrator, shop, tally):
            await orchestrator.execute("purchase", "good", {})
            assert isinstance(shop.meter, Tally)
            assert shop.meter.value("sagacity_participant_commands_total", "shop", "done") == shop.counts["done"] == 2
            assert tally.value("sagacity_sagas_ended_total", "purchase", "completed") == 1

    asyncio.run(story())


def test_how_many_sagas_are_parked_is_known_after_a_restart(database: str) -> None:
    async def story() -> None:
        async with _running(database) as (orchestrator, _, tally):
            await orchestrator.start("purchase", "jammed", {"poor": True, "jam": True})
            await eventually(lambda: tally.value("sagacity_saga_parked_total", "purchase") == 1)
        async with _running(database) as (_, _, tally):
            await eventually(lambda: tally.value("sagacity_sagas", "purchase", "parked") == 1)
            assert tally.gauges["sagacity_sagas"]["purchase", "running"] == 0


def test_how_long_ago_the_oldest_of_those_that_are_parked_was_started_is_measured(database: str) -> None:
    oldest = "sagacity_saga_parked_oldest_seconds"

    async def story() -> None:
        async with _running(database) as (orchestrator, _, tally):
            await eventually(lambda: tally.gauges.get(oldest) == {("purchase",): 0.0})
            for name in ("old", "young"):
                await orchestrator.start("purchase", name, {"poor": True, "jam": True})
            await eventually(lambda: tally.value("sagacity_saga_parked_total", "purchase") == 2)
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("update sagacity.sagas set started = started - 86400000000 where id = 'old'")
        async with _running(database) as (_, _, tally):
            await eventually(lambda: 86400 < tally.value(oldest, "purchase") < 90000)

    asyncio.run(story())


def test_replies_that_do_not_count_and_answers_that_do_not_come_are_measured(database: str) -> None:
    silent = Saga(
        "silent", 1, (Step("ask", "Ask", "nobody", "Unask", timeout=SOON, retry=Retry(2, first=SOON, most=SOON)),)
    )  # fmt: skip

    async def story() -> None:
        await install(database)
        broker = MemoryBroker()
        orchestrator = Orchestrator(database, [silent], tick=0.02)
        tally = orchestrator.meter
        assert isinstance(tally, Tally)
        reading = broker.subscriber(["saga-replies"], "orchestrator", orchestrator.positions)
        running = asyncio.create_task(orchestrator.run(reading, broker.publisher()))
        try:
            async with asyncio.timeout(60):
                await orchestrator.start("silent", "s-1", {})
                await eventually(lambda: tally.value("sagacity_saga_timeouts_total", "silent", "ask", "do") == 2)
                asked = broker.subscriber(["nobody"], "other", _from_the_beginning)
                command = (await asked.receive(1, 10.0))[0].content
                assert isinstance(command, Envelope)
                late = reply(command, "/x", 1, failure=Failure("late"))
                await broker.publisher().publish([Message("saga-replies", late)])
                ignored = "sagacity_saga_replies_ignored_total"
                await eventually(lambda: sum(tally.counters.get(ignored, {}).values()) == 1)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    asyncio.run(story())


async def _from_the_beginning(_: object) -> dict[Any, int]:
    return {}


def test_a_relay_measures_what_waits_and_what_is_dead(database: str) -> None:
    async def story() -> None:
        await install(database)
        async with connected(database) as connection:
            await connection.execute(
                "insert into sagacity.outbox (bucket, topic, key, id, envelope, since) "
                "select 0, 't', 'k', 'i', '{}', now() - interval '1 minute' from generate_series(1, 3)"
            )
            await dead_letters.bury(connection, "shop", Delivery("t", 0, 0, _envelope()), "unfit")
        tally = Tally()
        relay = Relay(database, Publishing(), name="orders", meter=tally)
        running = asyncio.create_task(relay.run())
        try:
            await eventually(lambda: tally.value("sagacity_dead_letters", "shop") == 1)
            assert tally.value("sagacity_outbox_messages", "orders") == 3
            assert 60 <= tally.value("sagacity_outbox_oldest_seconds", "orders") < 600
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await running

    asyncio.run(story())


def _envelope() -> Envelope:
    return Envelope(id="1", type="T", source="/s", time=0, key="k")


def test_it_can_be_served() -> None:
    tally = Tally()
    tally.count("sagacity_sagas_started_total", ("purchase",), 2)
    port = free_ports(1)[0]
    stop = serve(port, tally)
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            assert b'sagacity_sagas_started_total{saga="purchase"} 2.0' in answer.read()
    finally:
        stop()


def test_what_several_counted_is_added_up() -> None:
    one, other = Tally(), Tally()
    for tally in (one, other):
        tally.count("sagacity_sagas_started_total", ("purchase",))
        tally.observe("sagacity_saga_seconds", ("purchase", "completed"), 0.3)
    told = text(one, other).decode()
    assert 'sagacity_sagas_started_total{saga="purchase"} 2.0' in told
    assert 'sagacity_saga_seconds_count{outcome="completed",saga="purchase"} 2.0' in told
    assert 'sagacity_saga_seconds_bucket{le="0.25",outcome="completed",saga="purchase"} 0.0' in told
    assert 'sagacity_saga_seconds_bucket{le="0.5",outcome="completed",saga="purchase"} 2.0' in told


def test_no_two_measures_have_the_same_name() -> None:
    assert len({measure.name for measure in MEASURES}) == len(MEASURES)
