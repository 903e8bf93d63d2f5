"""The account service while its database is away, and afterwards; and its refusal to be overrun."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import psycopg
import pytest

from accounts import ADMIN, account_server, person
from sagacity.testing.servers.postgres import PostgreSQL
from shop.account import attempts
from shop.account.settings import Login
from shop.account.wiring import REVISIONS, sweep
from shop.chassis.database import Connection, Pool
from shop.chassis.failures import Failure
from shop.chassis.migrating import migrate_now
from shop.chassis.parts import Database
from shop.chassis.settings import Secret


def test_while_the_database_is_away_it_says_so_and_recovers(postgres: PostgreSQL) -> None:
    with postgres.database() as dsn:
        migrate_now(dsn, REVISIONS)
        with account_server(dsn, ACCOUNT_DATABASE_WAIT="2s") as account, account.client() as client:
            who = person()
            account.registered(who)
            login = {"email": who.email, "password": who.password}
            postgres.stop()
            try:
                away = client.post("/auth/login", json=login, timeout=30)
                unready = httpx.get(f"{account.url}/readyz", timeout=30)
                alive = httpx.get(f"{account.url}/healthz")
            finally:
                postgres.start()
            back = client.post("/auth/login", json=login, timeout=30)
    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
    assert away.json() == {"error": "the database is away; try again"}
    assert unready.status_code == 503
    assert unready.json()["parts"]["database"] != "ok"
    assert alive.status_code == 200
    assert back.status_code == 200


@pytest.mark.parametrize(("password", "roles"), [("somebody else's", ["customer"]), (ADMIN[1], ["customer", "admin"])])
def test_the_administrators_address_makes_one_only_with_the_password(database: str, password: str, roles: list[str]) -> None:
    migrate_now(database, REVISIONS)
    with account_server(database, ACCOUNT_ADMIN_EMAIL="", ACCOUNT_ADMIN_PASSWORD="") as account:
        account.registered(person(email=ADMIN[0], password=password))
    with account_server(database), psycopg.connect(database) as connection:
        found = connection.execute("select roles from accounts").fetchall()
    assert found == [(roles,)]


def test_a_place_from_which_nobody_logs_in_any_more_is_forgotten(account_tables: str) -> None:
    login, then = Login(account_attempts=1), datetime(2026, 11, 23, tzinfo=UTC)
    who = person().email

    async def tries(connection: Connection, now: datetime) -> list[int]:
        """How three attempts at once from home are answered, of which the account may have one from anywhere."""
        found = []
        for _ in range(3):
            try:
                await attempts.count(connection, login, who, "home", now)
                found.append(200)
            except Failure as failure:
                found.append(failure.status)
        return found

    async def story() -> None:
        async with Pool(Database(url=Secret(account_tables))) as pool, pool.connection() as connection:
            await attempts.succeeded(connection, login, who, "home", then)
            for days, answers in ((0, [200, 200, 200]), (89, [200, 200, 200]), (91, [200, 429, 429])):
                now = then + timedelta(days=days)
                await attempts.forget(connection, login, now)
                assert await tries(connection, now) == answers

    asyncio.run(story())


class Failing:
    """Cannot sweep twice; `done` is set the third time."""

    def __init__(self) -> None:
        self.done = asyncio.Event()
        self._left: list[Exception] = [Failure(503, "the database is away"), psycopg.errors.DeadlockDetected()]

    async def sweep(self) -> None:
        if self._left:
            raise self._left.pop()
        self.done.set()


def test_a_sweep_that_meets_no_database_is_made_later() -> None:
    async def story() -> None:
        failing = Failing()
        sweeping = asyncio.create_task(sweep(failing, every=0.0))
        await asyncio.wait((sweeping, asyncio.ensure_future(failing.done.wait())), return_when=asyncio.FIRST_COMPLETED)
        assert not sweeping.done()
        sweeping.cancel()

    asyncio.run(story())


def test_more_than_it_can_hash_is_asked_to_come_later(account_tables: str) -> None:
    # Each takes long enough that no two that are sent at once fit in.
    costly = {"ACCOUNT_PASSWORDS_MEMORY": 65536, "ACCOUNT_PASSWORDS_PASSES": 6}
    bounds = {"ACCOUNT_PASSWORDS_AT_ONCE": 1, "ACCOUNT_PASSWORDS_WAITING": 0}
    with account_server(account_tables, **costly, **bounds) as account, account.client() as client:

        def register(_: int) -> httpx.Response:
            return client.post("/auth/register", json=msgspec.to_builtins(person()), timeout=60)

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(register, range(6)))
    assert {each.status_code for each in answers} == {201, 503}
    assert all(each.headers["retry-after"] == "2" for each in answers if each.status_code == 503)
