"""The account service while its database is away, and afterwards; and its refusal to be overrun."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec

from accounts import account_server, person
from sagacity.testing.servers.postgres import PostgreSQL
from shop.account.wiring import REVISIONS
from shop.chassis.migrating import migrate_now


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
                alive = httpx.get(f"{account.url}/healthz", timeout=60)
            finally:
                postgres.start()
            back = client.post("/auth/login", json=login, timeout=30)
    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
    assert away.json() == {"error": "the database is away; try again"}
    assert unready.status_code == 503
    assert unready.json()["parts"]["database"] != "ok"
    assert alive.status_code == 200
    assert back.status_code == 200


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
