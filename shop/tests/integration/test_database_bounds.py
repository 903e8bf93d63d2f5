"""Nothing waits for ever for a database that answers nothing, though its connections are open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from accounts import account_server
from cache_stories import eventually
from sagacity.testing.servers.postgres import PostgreSQL
from shop.account.wiring import REVISIONS
from shop.chassis.bounded import listening
from shop.chassis.database import Pool
from shop.chassis.failures import Failure
from shop.chassis.migrating import migrate_now
from shop.chassis.parts import Database
from shop.chassis.settings import Secret

IMPATIENT = {"ACCOUNT_DATABASE_WAIT": "1s", "ACCOUNT_DATABASE_STATEMENT": "1s"}


@contextmanager
def frozen(server: PostgreSQL) -> Iterator[None]:
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


def impatient(dsn: str, statement: float) -> Pool:
    return Pool(Database(url=Secret(dsn), pool=1, statement=timedelta(seconds=statement)))


def test_a_request_is_answered_while_the_database_answers_nothing(postgres: PostgreSQL, database: str) -> None:
    migrate_now(database, REVISIONS)
    with account_server(database, **IMPATIENT) as account, account.client(account.registered()["access_token"]) as client:
        client.timeout = 60
        with frozen(postgres):
            assert client.get("/customer/personal").status_code == 503

        async def back() -> bool:
            return client.get("/customer/personal").status_code == 200

        asyncio.run(eventually(back))


def test_a_transaction_that_hears_nothing_more_is_given_up(postgres: PostgreSQL, database: str) -> None:
    async def stuck(pool: Pool) -> None:
        async with pool.transaction() as connection:
            with frozen(postgres):
                await connection.execute("select 1")

    async def story() -> None:
        async with impatient(database, 0.5) as pool:
            with pytest.raises(Failure) as caught:
                await stuck(pool)
            assert caught.value.status == 503
            async with pool.transaction() as connection:
                assert await (await connection.execute("select 1")).fetchone() == (1,)

    asyncio.run(story())


def test_an_answer_that_came_in_time_counts_though_nobody_had_time_for_it(database: str) -> None:
    async def story() -> None:
        async with await listening(database, "news") as connection:
            connection.patience = 0.2
            asking = asyncio.create_task(connection.execute("select 1"))
            await asyncio.sleep(0)
            with psycopg.connect(database) as other:  # nothing else runs here meanwhile
                other.execute("select pg_sleep(0.5)")
            assert await (await asking).fetchone() == (1,)
            assert await (await connection.execute("select 2")).fetchone() == (2,)

    asyncio.run(story())


def test_a_statement_that_takes_too_long_is_ended_by_the_server(database: str) -> None:
    async def story() -> None:
        async with impatient(database, 0.2) as pool, pool.connection() as connection:
            with pytest.raises(psycopg.errors.QueryCanceled):
                await connection.execute("select pg_sleep(60)")
            assert await (await connection.execute("select 1")).fetchone() == (1,)

    asyncio.run(story())


def test_a_database_that_is_frozen_can_be_stopped(postgres: PostgreSQL, database: str) -> None:
    with psycopg.connect(database):
        postgres.freeze()
        try:
            assert postgres.stop()
        finally:
            postgres.start()


def test_who_listens_finds_out_that_nobody_speaks_any_more(postgres: PostgreSQL, database: str) -> None:
    async def story() -> None:
        async with await listening(database, "news") as connection:
            connection.patience = 0.5
            assert await connection.notices(0.01) == []
            with pytest.raises(psycopg.OperationalError, match="has not answered within"), frozen(postgres):
                await connection.notices(0.01)

    asyncio.run(story())
