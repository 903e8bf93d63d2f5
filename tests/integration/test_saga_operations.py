"""What an operator does with sagas, on a real PostgreSQL, with an orchestrator and without."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from postgres_stories import LIMIT, connected
from saga_samples import PURCHASE, filled
from sagacity.errors import MessagingError, StoreError, UsageError
from sagacity.messaging.postgres.outbox import read_envelope
from sagacity.saga import Command, Orchestrator, Participant, Patience, Saga, Step, Transaction
from sagacity.saga.postgres import definitions, install, install_participant, listing
from sagacity.saga.postgres.listing import Which
from sagacity.saga.postgres.operations import Operations, RefusedOrderError, carried
from sagacity.saga.postgres.window import place
from sagacity.testing.servers.postgres import PostgreSQL

NOW = time.time_ns() // 1000
MINUTE = 60_000_000
_SLOW_ONCE_ENDED = """
create function slowly(text) returns text stable language plpgsql as 'begin perform pg_sleep(30); return $1; end';
alter table sagacity.sagas rename to kept;
create view sagacity.sagas as select
    id, definition, version, case when ended is null then status else slowly(status) end as status, revision, due, started,
    changed, ended, state
from sagacity.kept;
"""
"""Makes a question for the status of sagas that have ended take its time, as one over very many does."""


def told(story: Callable[[], Awaitable[None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(LIMIT):
            await story()

    asyncio.run(within())


class Running:
    """An orchestrator over a database, for as long as it is needed."""

    def __init__(self, dsn: str, *given: Saga, **options: Any) -> None:
        self.orchestrator = Orchestrator(dsn, given or [PURCHASE], **{"events": False, "tick": 0.02, **options})

    async def __aenter__(self) -> Orchestrator:
        self._task = asyncio.create_task(self.orchestrator.run())
        return self.orchestrator

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


def test_sagas_are_listed_by_what_is_asked_for_and_page_by_page(database: str) -> None:
    filled(database, NOW, extra=5)

    async def story() -> None:
        sagas = Operations(database)

        async def ids(**which: Any) -> list[str]:
            return [line.id for line in await sagas.sagas(Which(**which))]

        assert await ids(states=("parked",)) == ["booking/9", "purchase-3", "purchase-2"]
        assert await ids(states=("completed", "compensated")) == ["purchase-4", "purchase-1"]
        assert await ids(definition="booking") == ["booking/9"]
        assert await ids(resource="4711") == await ids(resource='account="4711"') == ["purchase-7", "purchase-6"]
        assert await ids(resource="47") == []
        assert await ids(since=NOW - 100 * MINUTE, states=("parked",)) == ["booking/9"]
        for oldest in (False, True):
            paged: list[str] = []
            after: tuple[int, str] | None = None
            while page := await sagas.sagas(Which(), after=after, oldest=oldest, most=4):
                paged += [line.id for line in page]
                after = (page[-1].started, page[-1].id)
            whole = await ids()
            assert paged == (whole[::-1] if oldest else whole)
            assert len(paged) == 13
        await sagas.close()

    told(story)


def test_a_parked_saga_says_at_what_why_and_since_when(database: str) -> None:
    filled(database, NOW)

    async def story() -> None:
        sagas = Operations(database)
        lines = {line.id: line for line in await sagas.sagas(Which(states=("parked",)))}
        assert lines["purchase-2"].parked == ("charge-card",)
        assert lines["purchase-2"].cause == "charge-card: no answer in time"
        assert lines["purchase-2"].stands == NOW - 480 * MINUTE + 12_400_000
        assert lines["booking/9"].parked == ()
        async with connected(database) as connection:  # something happens to it that leaves it parked
            await connection.execute("update sagacity.sagas set changed = %s where id = 'purchase-2'", (NOW,))
            assert (await listing.listed(connection, status="parked"))[2].stands == lines["purchase-2"].stands
        shown = await sagas.saga("purchase-7")
        assert shown is not None
        assert shown.before == ("purchase-6",)
        await sagas.close()

    told(story)


def test_an_order_that_makes_no_sense_is_refused_and_written_down(database: str) -> None:
    filled(database, NOW)

    async def story() -> None:
        sagas = Operations(database)
        with pytest.raises(RefusedOrderError, match="point of no return") as refused:
            await sagas.order("purchase-2", "compensate", by="ada", reason="called off")
        assert refused.value.hint is not None
        assert [each.order for each in refused.value.allowed] == ["retry", "skip", "abandon", "resume"]
        shown = await sagas.saga("purchase-2")
        assert shown is not None
        assert shown.line.status == "parked"
        newest = shown.orders[0]
        assert (newest.id, newest.by, newest.reason) == (refused.value.number, "ada", "called off")
        assert newest.outcome is not None
        assert newest.outcome.startswith("saga purchase-2 may be past its point of no return")
        with pytest.raises(RefusedOrderError, match="there is no saga nobody") as unknown:
            await sagas.order("nobody", "retry", by="ada", reason="?")
        assert unknown.value.number is None
        with pytest.raises(UsageError, match="has no step chrage-card") as slip:
            await sagas.order("purchase-2", "retry", by="ada", reason="?", step="chrage-card")
        assert slip.value.hint is not None
        assert "charge-card" in slip.value.hint
        again = await sagas.saga("purchase-2")
        assert again is not None
        assert len(again.orders) == len(shown.orders), "a slip is not kept among the orders"
        await sagas.close()

    told(story)


def test_an_order_is_kept_until_an_orchestrator_runs_and_is_then_carried_out(database: str) -> None:
    filled(database, NOW)

    async def story() -> None:
        sagas = Operations(database)
        placed = await sagas.order("purchase-3", "skip", by="grace", reason="put back by hand")
        with pytest.raises(StoreError, match="no orchestrator has carried it out yet"):
            carried(await sagas.awaited(placed, 0.0))
        async with Running(database):
            carried(await sagas.awaited(placed, LIMIT))
        shown = await sagas.saga("purchase-3")
        assert shown is not None
        assert shown.line.status == "compensated"
        skipped = next(event for event in shown.history if event.type == "CompensationSkipped")
        assert (skipped.by, skipped.cause) == ("grace", "put back by hand")
        await sagas.close()

    told(story)


def test_one_definition_that_cannot_be_read_holds_up_its_own_sagas_alone(database: str) -> None:
    filled(database, NOW)

    async def story() -> None:
        sagas = Operations(database)
        async with connected(database) as connection:
            assert set(await definitions.known(connection)) == {("purchase", 1)}
            with pytest.raises(UsageError, match="is kept already, and is another"):
                await definitions.register(connection, Saga("booking", 3, (Step("pay", "Pay", "p", kind="pivot"),)))
        problems = {version.name: version.problem for version in await sagas.definitions()}
        assert problems["purchase"] is None
        assert "has no compensation" in str(problems["booking"])
        async with Running(database):
            placed = await sagas.order("purchase-2", "abandon", by="ada", reason="by hand")
            carried(await sagas.awaited(placed, LIMIT))
            abandoned = await sagas.order("booking/9", "abandon", by="ada", reason="by hand")
            carried(await sagas.awaited(abandoned, LIMIT))
        assert [line.id for line in await sagas.sagas(Which(states=("abandoned",)))] == ["booking/9", "purchase-2"]
        await sagas.close()

    told(story)


def test_an_order_of_a_saga_whose_state_cannot_be_read_says_so(database: str) -> None:
    filled(database, NOW)

    async def story() -> None:
        sagas = Operations(database)
        async with connected(database) as connection:
            await connection.execute("update sagacity.sagas set state = '{}', status = 'parked' where id = 'purchase-5'")
        shown = await sagas.saga("purchase-5")
        assert shown is not None
        assert shown.saga is None
        assert shown.allowed == ()
        assert shown.history != ()
        with pytest.raises(RefusedOrderError, match="its state cannot be read"):
            await sagas.order("purchase-5", "abandon", by="ada", reason="by hand")
        await sagas.close()

    told(story)


def test_a_migration_is_told_of_where_the_sagas_events_are(database: str) -> None:
    filled(database, NOW)

    async def story() -> None:
        newer = replace(PURCHASE, version=2)
        async with connected(database) as connection:
            async with connection.transaction():
                moved = await definitions.migrate(connection, newer, 1, lambda saga: replace(saga, version=2), by="ada")
            rows = await (
                await connection.execute("select topic, envelope from sagacity.outbox order by sequence")
            ).fetchall()
        envelopes = [read_envelope(envelope) for _, envelope in rows]
        assert moved == len(rows) == 5
        assert {topic for topic, _ in rows} == {"saga-events"}
        assert {each.type for each in envelopes} == {"SagaMigrated"}
        assert {each.key for each in envelopes} == {f"purchase-{number}" for number in (2, 3, 5, 6, 7)}

    told(story)


@pytest.mark.parametrize("kind", ["local", "inline"])
def test_a_dead_letter_of_a_participant_within_the_process_is_done_again_without_a_broker(database: str, kind: str) -> None:
    broken = True

    async def story() -> None:
        nonlocal broken
        shop = Participant("shop", database, patience=Patience(attempts=1, first=0.01))

        @shop.handles("Reserve")
        async def reserve(command: Command, transaction: Transaction) -> None:
            del command, transaction
            if broken:
                raise ConnectionError("away")

        one = Saga("one", 1, (Step("reserve", "Reserve", "shop", "Release"),))
        sagas = Operations(database)
        async with Running(database, one, **{kind: {"shop": shop}}) as orchestrator:
            await orchestrator.start("one", "one-1", {})
            found = await sagas.dead_letters()
            while not found:
                await asyncio.sleep(0.02)
                found = await sagas.dead_letters()
            broken = False
            done = await sagas.redrive([letter.id for letter in found], "ada")
            assert (done.sent, len(done.ordered)) == (0, 1)
            assert (await orchestrator.ended("one-1")).status == "completed"
            placed = await sagas.placed(done.ordered[0])
            assert placed is not None
            carried(await sagas.awaited(placed, LIMIT))
            assert (await sagas.redrive([found[0].id], "ada")).ordered == ()
        async with connected(database) as connection:
            rows = await (await connection.execute("select count(*) from sagacity.outbox")).fetchone()
            assert rows == (0,)
        await sagas.close()
        await shop.close()

    asyncio.run(install(database))
    asyncio.run(install_participant(database))
    told(story)


def test_a_dead_letter_of_a_step_that_is_awaited_no_longer_is_not_sent(database: str) -> None:
    filled(database, NOW)

    async def story() -> None:
        sagas = Operations(database)
        async with connected(database) as connection:
            await connection.execute("update sagacity.sagas set due = null")
            await connection.execute("update sagacity.dead_letters set redriven = null")
        async with Running(database):
            order = await sagas.order("purchase-2", "abandon", by="ada", reason="by hand")
            carried(await sagas.awaited(order, LIMIT))
            done = await sagas.redrive([1], "ada")
            placed = await sagas.placed(done.ordered[0])
            assert placed is not None
            carried(await sagas.awaited(placed, LIMIT))
        with pytest.raises(UsageError, match="is no envelope"):
            await sagas.redrive([2], "ada")
        await sagas.close()

    told(story)


def test_questions_are_bounded_in_time_and_a_database_that_comes_back_is_asked_again(postgres: PostgreSQL) -> None:
    with postgres.database() as dsn:
        filled(dsn, NOW)

        async def story() -> None:
            sagas = Operations(dsn, within=1.0)
            async with connected(dsn) as connection, connection.transaction():
                await connection.execute("lock table sagacity.sagas in access exclusive mode")
                with pytest.raises(StoreError):
                    await sagas.saga("purchase-1")
                assert not await sagas.knows("purchase-1")
            postgres.stop()
            with pytest.raises(StoreError):
                await sagas.saga("purchase-1")
            postgres.start()
            assert await sagas.saga("purchase-1") is not None
            postgres.stop()
            postgres.start()
            assert await sagas.saga("purchase-1") is not None, "a connection that was lost meanwhile is made anew"
            await sagas.close()

        told(story)


def test_where_it_takes_too_long_to_count_what_has_ended_the_others_are_counted(database: str) -> None:
    filled(database, NOW)

    async def story() -> None:
        async with connected(database) as connection:
            await connection.execute(_SLOW_ONCE_ENDED)
        sagas = Operations(database, within=3.0)
        assert {status for _, _, status in await sagas.counts()} == {"running", "parked", "waiting"}
        await sagas.close()

    told(story)


def test_a_database_that_takes_connections_and_says_nothing_is_given_up() -> None:
    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            sagas = Operations(f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=sagas password=secret", within=0.2)
            assert sagas.where == f"sagas on 127.0.0.1:{silent.getsockname()[1]}"
            with pytest.raises(StoreError, match="did not answer within") as away:
                async with asyncio.timeout(15):
                    await sagas.counts()
            assert "secret" not in str(away.value)

    told(story)


def test_a_database_without_sagas_says_what_makes_them(database: str) -> None:
    async def story() -> None:
        with pytest.raises(MessagingError, match="no tables of sagas"):
            await Operations(database).counts()

    told(story)


def test_an_address_that_makes_no_sense_is_refused_without_being_repeated() -> None:
    with pytest.raises(UsageError) as refused:
        place("postgresql//ada:secret@host/name")
    assert "secret" not in str(refused.value)


def test_nothing_can_be_ordered_of_a_saga_that_has_ended(database: str) -> None:
    filled(database, NOW)

    async def story() -> None:
        sagas = Operations(database)
        for order in ("retry", "skip", "compensate", "abandon", "resume"):
            with pytest.raises(RefusedOrderError, match="purchase-1 is completed"):
                await sagas.order("purchase-1", order, by="ada", reason="again")
        await sagas.close()

    told(story)
