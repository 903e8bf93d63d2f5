"""The outbox and its relay on a real PostgreSQL: nothing lost, a key's order kept, whoever crashes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress

import pytest
from psycopg import AsyncConnection

from postgres_stories import Publishing, connected, eventually, installed
from sagacity.errors import MessagingError, PublishError
from sagacity.messaging.envelope import Envelope, Message
from sagacity.messaging.postgres import Relay, dead_letters, install
from sagacity.messaging.postgres.outbox import send
from sagacity.messaging.postgres.schema import MESSAGING, upgrade
from sagacity.testing.messaging import message
from sagacity.testing.servers.postgres import PostgreSQL


async def write(connection: AsyncConnection, numbers: range, keys: int = 7) -> None:
    async with connection.transaction():
        await send(connection, [message("orders", number, key=f"k{number % keys}") for number in numbers])


def in_order(publishing: Publishing) -> bool:
    """Whether first occurrences of each key's messages are in the order in which they were written."""
    seen: defaultdict[str, list[int]] = defaultdict(list)
    for kept in publishing.kept:
        number = int(kept.envelope.id[1:])
        if number not in seen[kept.envelope.key]:
            seen[kept.envelope.key].append(number)
    return all(numbers == sorted(numbers) for numbers in seen.values())


def test_tables_are_made_once_by_whoever_comes(database: str) -> None:
    async def story() -> None:
        async with connected(database) as one, connected(database) as other:
            await asyncio.gather(install(one), install(other))
            await install(one)
            assert await (await one.execute("select component, version from sagacity.versions")).fetchall() == [
                ("messaging", 1)
            ]
            await one.execute("update sagacity.versions set version = 99")
            with pytest.raises(MessagingError, match="version 99"):
                await install(one)

    asyncio.run(story())


def test_the_same_steps_can_be_run_by_a_migration(database: str) -> None:
    async def story() -> None:
        async with connected(database) as connection:
            for statement in upgrade(MESSAGING, 0):
                await connection.execute(statement.encode())
            await install(connection)
            await write(connection, range(3))

    asyncio.run(story())


def test_what_is_committed_is_sent_and_what_is_rolled_back_is_not(database: str) -> None:
    publishing = Publishing()

    async def story() -> int:
        async with installed(database) as connection:
            await write(connection, range(3))
            with suppress(ZeroDivisionError):
                async with connection.transaction():
                    await send(connection, [message("orders", 9)])
                    raise ZeroDivisionError
            assert await Relay(database, publishing).drain() == 3
            return (await Relay(database, publishing).lag(connection)).waiting

    assert asyncio.run(story()) == 0
    assert publishing.kept == [message("orders", number, key=f"k{number}") for number in range(3)]


def test_an_envelope_that_cannot_travel_is_refused_when_it_is_written(database: str) -> None:
    async def story() -> None:
        async with installed(database) as connection:
            with pytest.raises(MessagingError):
                await send(connection, [Message("orders", Envelope(id="", type="t", source="s", time=0, key="k"))])

    asyncio.run(story())


def test_a_relay_is_woken_by_the_commit(database: str) -> None:
    publishing = Publishing()

    async def story() -> None:
        async with installed(database) as connection:
            running = asyncio.create_task(Relay(database, publishing, poll=3600.0).run())
            try:
                for number in range(3):
                    await write(connection, range(number, number + 1))
                    await eventually(lambda number=number: len(publishing.kept) == number + 1)  # type: ignore[misc]
            finally:
                running.cancel()

    asyncio.run(story())


def test_what_is_committed_while_a_batch_is_published_does_not_wait_for_the_next_look(database: str) -> None:
    publishing = Publishing()

    async def story() -> None:
        async with installed(database) as connection:

            async def more() -> None:
                if len(publishing.kept) < 3:
                    await write(connection, range(10 + len(publishing.kept), 11 + len(publishing.kept)))

            publishing.pause = more
            await write(connection, range(1))
            running = asyncio.create_task(Relay(database, publishing, poll=3600.0).run())
            try:
                await eventually(lambda: len(publishing.kept) == 4)
            finally:
                running.cancel()

    asyncio.run(story())
    assert publishing.ids == ["m0", "m10", "m11", "m12"]


def test_a_crash_between_publishing_and_deleting_sends_again_and_loses_nothing(database: str) -> None:
    publishing = Publishing()

    async def story() -> None:
        async with installed(database) as connection:
            await write(connection, range(10))

            async def crash() -> None:
                async with connected(database) as other:
                    await other.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
                        "and state = 'idle in transaction'"
                    )

            publishing.pause = crash
            relay = Relay(database, publishing)
            with pytest.raises(Exception, match="terminat"):
                await relay.drain()
            publishing.pause = None
            assert await relay.drain() == 10

    asyncio.run(story())
    assert publishing.ids == [f"m{number}" for number in range(10)] * 2


def test_after_a_failure_in_the_middle_only_what_is_uncertain_is_sent_again(database: str) -> None:
    publishing = Publishing()

    async def story() -> None:
        async with installed(database) as connection:
            await write(connection, range(10))
            publishing.fail_after = 4
            relay = Relay(database, publishing)
            with pytest.raises(PublishError):
                await relay.drain()
            assert await relay.drain() == 6

    asyncio.run(story())
    assert publishing.ids == [f"m{number}" for number in range(10)]


def test_two_relays_keep_the_order_of_each_key(database: str) -> None:
    publishing = Publishing()
    most = 0

    async def story() -> list[int]:
        nonlocal most
        at_once = 0

        async def slow() -> None:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.002)
            at_once -= 1

        publishing.pause = slow
        async with installed(database) as connection, connected(database) as another:
            relays = [Relay(database, publishing, batch=20, poll=0.02) for _ in range(3)]
            running = [asyncio.create_task(relay.run()) for relay in relays]
            try:
                for start in range(0, 1500, 50):
                    await write(connection, range(start, start + 25), keys=40)
                    await write(another, range(start + 25, start + 50), keys=40)
                await eventually(lambda: len(publishing.kept) >= 1500)
            finally:
                for each in running:
                    each.cancel()
            return [relay.sent for relay in relays]

    sent = asyncio.run(story())
    assert sorted(publishing.ids) == sorted(f"m{number}" for number in range(1500))
    assert in_order(publishing)
    assert most > 1, "the relays never sent at the same time"
    assert sum(1 for each in sent if each) > 1


def test_a_relay_goes_on_when_the_database_and_the_broker_are_back(postgres: PostgreSQL, database: str) -> None:
    publishing = Publishing()

    async def story() -> None:
        async with installed(database) as connection:
            await write(connection, range(3))
        publishing.fail_after = 0
        relay = Relay(database, publishing, poll=0.02)
        running = asyncio.create_task(relay.run())
        try:
            await eventually(lambda: len(publishing.kept) == 3)
            await asyncio.to_thread(postgres.kill)
            await eventually(lambda: relay.trouble is not None)
            await asyncio.to_thread(postgres.start)
            async with connected(database) as connection:
                await write(connection, range(3, 6))
            await eventually(lambda: len(set(publishing.ids)) == 6)
            await eventually(lambda: relay.trouble is None)
        finally:
            running.cancel()

    asyncio.run(story())
    # The database may go before it has noted what was published, which is then published again.
    assert list(dict.fromkeys(publishing.ids)) == [f"m{number}" for number in range(6)]


def test_a_relay_with_nothing_to_send_is_well_again_when_the_database_is_back(postgres: PostgreSQL, database: str) -> None:
    async def story() -> None:
        async with installed(database):
            pass
        relay = Relay(database, Publishing(), poll=0.02)
        running = asyncio.create_task(relay.run())
        try:
            await asyncio.to_thread(postgres.kill)
            await eventually(lambda: relay.trouble is not None)
            await asyncio.to_thread(postgres.start)
            await eventually(lambda: relay.trouble is None)
        finally:
            running.cancel()

    asyncio.run(story())


def test_a_message_that_the_broker_refuses_for_good_is_buried_and_holds_up_no_other(database: str) -> None:
    publishing = Publishing()
    publishing.refuse = {"m1"}

    async def story() -> list[tuple[str, str]]:
        async with installed(database) as connection:
            await write(connection, range(3), keys=1)
            relay = Relay(database, publishing)
            with pytest.raises(PublishError):
                await relay.drain()
            publishing.refuse = set()
            await relay.drain()
            buried = await dead_letters.listed(connection)
            return [(each.envelope.id, each.reason) for each in buried if each.envelope is not None]

    assert asyncio.run(story()) == [("m1", "some are too large")]
    assert publishing.ids == ["m0", "m2"]


def test_the_lag_is_told(database: str) -> None:
    async def story() -> None:
        async with installed(database) as connection:
            relay = Relay(database, Publishing())
            assert await relay.lag(connection) == type(await relay.lag(connection))(0, 0.0)
            await write(connection, range(3))
            lag = await relay.lag(connection)
            assert lag.waiting == 3
            assert lag.oldest > 0

    asyncio.run(story())


def test_a_topic_that_is_not_there_holds_up_no_other(database: str) -> None:
    publishing = Publishing()
    publishing.closed = {"nowhere"}

    async def story() -> None:
        async with installed(database) as connection:
            async with connection.transaction():
                await send(connection, [message("nowhere", number) for number in range(20)])
            await write(connection, range(30))
            running = asyncio.create_task(relay.run())
            try:
                async with asyncio.timeout(30):
                    while (await relay.lag(connection)).waiting > 20:
                        await asyncio.sleep(0.01)
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running
            assert relay.trouble == "no such topic"
            assert len(publishing.kept) == 30
            assert (await relay.lag(connection)).waiting == 20
            publishing.closed = set()
            later = Relay(database, publishing)
            assert await later.drain() == 20

    relay = Relay(database, publishing, batch=10, poll=0.05)
    asyncio.run(story())
    assert publishing.ids == [f"m{number}" for number in (*range(30), *range(20))]
