"""How replicas hear of changes: from a real PostgreSQL, at their commit, whatever was missed meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import psycopg

from cache_stories import eventually, told
from product_stories import stocked
from sagacity.testing.servers.postgres import PostgreSQL
from shop.chassis.cache import Change, PostgresChanges
from shop.chassis.cache.rows import changed_since
from shop.product import store


class Listener:
    """A replica that hears of changes."""

    def __init__(self, dsn: str, *, lasting: float = 300.0, sweep: float = 3600.0) -> None:
        self.heard: list[Change] = []
        self.missed = 0
        self.changes = PostgresChanges(dsn, store.CHANNEL, store.CHANGED_SINCE, lasting=lasting, sweep=sweep)

    async def tell(self, changes: Sequence[Change]) -> None:
        self.heard += changes

    def miss(self) -> None:
        self.missed += 1

    async def hears(self, id: int, version: int) -> None:
        async def heard() -> bool:
            return Change(str(id), version) in self.heard

        await eventually(heard)


@asynccontextmanager
async def listening(dsn: str, *, lasting: float = 300.0, sweep: float = 3600.0) -> AsyncIterator[Listener]:
    listener = Listener(dsn, lasting=lasting, sweep=sweep)
    task = asyncio.create_task(listener.changes.follow(listener.tell, listener.miss))
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.wait((task,))


def test_a_change_is_told_if_it_is_committed_and_only_then(database: str) -> None:
    async def story() -> None:
        async with listening(database) as listener:
            await listener.hears(ids["tea"], 1)
            with psycopg.connect(database) as connection:
                connection.execute("update products set price = 1")
                connection.rollback()
                connection.execute("update products set price = 2")
                connection.execute("update products set price = 2")  # which changes nothing
                connection.commit()
                await listener.hears(ids["tea"], 2)
                connection.execute("delete from products")
                connection.commit()
                await listener.hears(ids["tea"], 3)
            assert [change.version for change in listener.heard] == [1, 2, 3]

    with stocked(database, tea=5) as ids:
        told(story)


def test_who_begins_to_listen_is_told_of_what_a_cache_may_still_have(database: str) -> None:
    """A writer that crashes right after its commit, with nobody listening: whoever comes next is told."""

    async def story() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("update products set inventory = inventory - 1 where id = %s", (ids["tea"],))
        async with listening(database) as listener:
            await listener.hears(ids["tea"], 2)

    with stocked(database, tea=5) as ids:
        told(story)


def test_what_was_missed_while_the_connection_was_lost_is_told_afterwards(database: str) -> None:
    async def story() -> None:
        async with listening(database) as listener:
            await listener.hears(ids["tea"], 1)
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where datname = current_database() and pid <> pg_backend_pid()"
                )
                connection.execute("update products set price = 3")  # nobody hears of it
                await listener.hears(ids["tea"], 2)
                assert listener.missed >= 2  # on start, and when it was lost: what is kept within the process is dropped

    with stocked(database, tea=5) as ids:
        told(story)


def test_a_database_that_is_restarted_is_listened_to_again(postgres: PostgreSQL) -> None:
    async def story() -> None:
        async with listening(dsn) as listener:
            await listener.hears(ids["tea"], 1)
            await asyncio.to_thread(postgres.stop)
            await asyncio.to_thread(postgres.start)
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute("update products set price = 3")
            await listener.hears(ids["tea"], 2)

            async def at_ease() -> bool:
                return listener.changes.trouble is None

            await eventually(at_ease)

    with postgres.database() as dsn:
        with stocked(dsn, tea=5) as made:
            ids = dict(made)
        told(story)


def test_what_redis_has_lost_with_a_node_is_told_again(database: str) -> None:
    async def story() -> None:
        async with listening(database, sweep=0.1) as listener:

            async def twice() -> bool:
                return listener.heard.count(Change(str(ids["tea"]), 1)) >= 3

            await eventually(twice)

    with stocked(database, tea=5) as ids:
        told(story)


class Failing(Listener):
    """A replica that fails the first time that it is told."""

    failed = False

    async def tell(self, changes: Sequence[Change]) -> None:
        if not self.failed:
            self.failed = True
            raise RuntimeError("nobody foresaw this")
        await super().tell(changes)


def test_whatever_who_is_told_fails_with_it_is_told_again(database: str) -> None:
    async def story() -> None:
        listener = Failing(database)
        task = asyncio.create_task(listener.changes.follow(listener.tell, listener.miss))
        await asyncio.wait((task, asyncio.ensure_future(listener.hears(ids["tea"], 1))), return_when="FIRST_COMPLETED")
        assert not task.done()
        task.cancel()
        assert listener.failed

    with stocked(database, tea=5) as ids:
        told(story)


class Counting(Listener):
    """A replica that counts of how many changes it is told at a time."""

    lots: tuple[int, ...] = ()

    async def tell(self, changes: Sequence[Change]) -> None:
        self.lots += (len(changes),)
        await super().tell(changes)


def test_however_many_have_changed_they_are_told_some_at_a_time(database: str) -> None:
    async def story() -> None:
        listener = Counting(database)
        task = asyncio.create_task(listener.changes.follow(listener.tell, listener.miss))
        try:
            await listener.hears(2500, 1)
        finally:
            task.cancel()
        assert listener.lots == (1000, 1000, 500)

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "create table products as select id, 1 as version, now() as changed_at from generate_series(1, 2500) as id"
        )
    told(story)


class Watching(Listener):
    """A replica that looks whether the database holds a transaction open while it is told."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.dsn = dsn
        self.open: list[int] = []

    async def tell(self, changes: Sequence[Change]) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            row = connection.execute(
                "select count(*) from pg_stat_activity where datname = current_database() and xact_start is not null "
                "and pid <> pg_backend_pid() and backend_type = 'client backend'"
            ).fetchone()
        self.open += row or ()
        await super().tell(changes)


def test_no_transaction_is_open_while_redis_is_told(database: str) -> None:
    """It may take its time, and the database would keep all that was deleted meanwhile."""

    async def story() -> None:
        listener = Watching(database)
        task = asyncio.create_task(listener.changes.follow(listener.tell, listener.miss))
        try:
            await listener.hears(ids["tea"], 1)
        finally:
            task.cancel()
        assert set(listener.open) == {0}

    with stocked(database, tea=5) as ids:
        told(story)


def test_what_has_changed_of_late_is_found_without_reading_the_table(database: str) -> None:
    """It is asked for every few seconds, by every replica."""
    with psycopg.connect(database, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(
            "create table things as "
            "select id, 1 as version, timestamptz 'epoch' as changed_at from generate_series(1, 20000) as id"
        )
        connection.execute("create index things_changed_at on things (changed_at)")
        connection.execute("analyze things")
        plan = connection.execute(f"explain {changed_since('things')}".encode(), (20.0,)).fetchall()
    assert "things_changed_at" in str(plan)
