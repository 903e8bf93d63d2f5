"""What each service keeps of what is long over is forgotten after `..._KEEP_FOR`, or `..._KEEP_ANSWERS_FOR`, and nothing
sooner."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from psycopg import AsyncConnection

from sagacity.messaging import Envelope
from sagacity.messaging.postgres import inbox
from sagacity.saga.barrier import Standing
from sagacity.saga.decide import begin, decide
from sagacity.saga.happenings import Replied
from sagacity.saga.postgres import barrier, store
from shop.chassis.access import Answer, Caller
from shop.chassis.database import Connection, Pool
from shop.chassis.forgetting import Forgetting, heard
from shop.chassis.http import create_app
from shop.chassis.migrating import migrate_now
from shop.chassis.parts import Database, Http
from shop.chassis.service import Service, Task
from shop.chassis.settings import Secret, SettingsError, load
from shop.orchestrator.definition import PURCHASE
from shop.purchase import store as purchases
from shop.purchase.domain import Line, Purchase
from shop.purchase.http import ROUTES
from shop.purchase.streams import Streams, StreamSettings

KEEP_FOR = timedelta(days=2)
KEEP_ANSWERS_FOR = timedelta(days=100)
AGES = (timedelta(days=3), timedelta(days=1))
"""One that is to be forgotten, and one that is not."""

REQUIRED = {
    "KAFKA_SERVERS": "127.0.0.1:1",
    "REDIS_NODES": "127.0.0.1:1",
    "AUTH_TARGET": "127.0.0.1:1",
    "PRODUCT_TARGET": "127.0.0.1:1",
    "KEEP_FOR": "2d",
    "KEEP_ANSWERS_FOR": "100d",
}
PARTICIPANTS = ("product", "order", "payment")
MANY = 5
"""Of each age; more than is forgotten in one transaction."""


def wired(service: str, dsn: str, **also: str) -> Service:
    told = {f"{service.upper()}_{name}": value for name, value in {**REQUIRED, "DATABASE_URL": dsn, **also}.items()}
    settings = load(import_module(f"shop.{service}.settings").Settings, service.upper(), told)
    made: Service = import_module(f"shop.{service}.wiring").wire(settings)
    return made


def forgotten(service: str, dsn: str) -> int:
    """How many rows the service forgets, wired as it is, two at a time."""
    parts = dict(wired(service, dsn)._parts)
    task: Any = parts["forgetting"]
    assert isinstance(task, Task)
    forgetting: Forgetting = task._run.__self__  # type: ignore[attr-defined]
    assert forgetting._keep_for == (KEEP_ANSWERS_FOR if service in PARTICIPANTS else KEEP_FOR)
    forgetting._at_once = 2

    async def go() -> int:
        async with parts["database"]:
            return await forgetting.once()

    return asyncio.run(go())


def filled(dsn: str, fill: Callable[[AsyncConnection[Any]], Any]) -> None:
    async def go() -> None:
        async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
            await fill(connection)

    asyncio.run(go())


def rows(dsn: str, query: str) -> list[Any]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return [row[0] for row in connection.execute(query.encode()).fetchall()]


def microseconds(age: timedelta) -> int:
    return time.time_ns() // 1000 - age // timedelta(microseconds=1)


def migrated(service: str, dsn: str) -> str:
    migrate_now(dsn, import_module(f"shop.{service}.wiring").REVISIONS)
    return dsn


@pytest.mark.parametrize("service", PARTICIPANTS)
def test_a_participant_forgets_what_it_answered_to_sagas(service: str, database: str) -> None:
    async def fill(connection: AsyncConnection[Any]) -> None:
        done = Standing("do", 1, success=True, data=msgspec.Raw(b"{}"))
        for age in (timedelta(days=101), timedelta(days=99)):
            named = [barrier.Answered(f"{age.days}-{each}", "a", done, microseconds(age)) for each in range(MANY)]
            await barrier.keep(connection, named)

    filled(migrated(service, database), fill)
    assert forgotten(service, database) == MANY
    assert rows(database, "select distinct left(saga, 3) from sagacity.saga_barrier") == ["99-"]


@pytest.mark.parametrize("service", PARTICIPANTS)
def test_answers_are_kept_for_a_year_unless_it_is_set_and_how_long_is_told(service: str) -> None:
    """A purchase that is parked for a month is undone by whoever decides it then."""
    told = wired(service, "postgresql://127.0.0.1:1/none", KEEP_ANSWERS_FOR="").metrics.text().decode()
    [line] = [line for line in told.splitlines() if line.startswith("shop_answers_kept_seconds{")]
    assert float(line.split()[1]) == timedelta(days=365).total_seconds()
    with pytest.raises(SettingsError, match="it must be at least 90d"):
        wired(service, "postgresql://127.0.0.1:1/none", KEEP_ANSWERS_FOR="30d")


def test_the_payment_service_forgets_charges_that_were_given_back_as_late_as_answers(database: str) -> None:
    migrated("payment", database)
    with psycopg.connect(database, autocommit=True) as connection:
        for reference, given_back in ((1, 101), (2, 99), (3, None)):
            connection.execute(
                "insert into charges values (%s, now() - interval '200 days', now() - %s * interval '1 day')",
                (str(reference), given_back),
            )
    assert forgotten("payment", database) == 1
    assert rows(database, "select reference from charges order by 1") == ["2", "3"]


@pytest.mark.parametrize("service", ["warehouse", "compliance"])
def test_a_listener_forgets_what_it_has_heard(service: str, database: str) -> None:
    filled(migrated(service, database), hear)
    assert forgotten(service, database) == MANY
    assert rows(database, "select distinct left(id, 1) from sagacity.inbox") == ["1"]


def test_the_orchestrator_forgets_purchases_that_have_ended_and_none_that_goes_on(database: str) -> None:
    async def fill(connection: AsyncConnection[Any]) -> None:
        for age in AGES:
            for each in range(MANY):
                id, at = f"{age.days}-{each}", microseconds(age)
                begun = begin(PURCHASE, id, b'{"items": [], "currency": "USD"}', at)
                refused = Replied(f"{id}/UPDATE_PRODUCT_INVENTORY/do/1", success=False, reason="none left")
                ended = begun if each == 0 else decide(PURCHASE, begun.saga, refused, at)
                await store.write(connection, [ended.saga], [], [*begun.events, *(ended.events if each else ())])

    filled(migrated("orchestrator", database), fill)
    assert forgotten("orchestrator", database) == MANY - 1
    kept = ["1-0", "1-1", "1-2", "1-3", "1-4", "3-0"]
    assert rows(database, "select id from sagacity.sagas order by id") == kept
    assert rows(database, "select distinct saga from sagacity.saga_history order by 1") == kept


def test_the_purchase_service_forgets_keys_and_what_was_told_and_never_a_purchase(database: str) -> None:
    migrated("purchase", database)
    filled(database, hear)
    with psycopg.connect(database, autocommit=True) as connection:
        for id, age, ended in ((1, 3, 3), (2, 1, 1), (3, 3, None), (4, 3, 1)):
            status = "PENDING" if ended is None else "SUCCESS"
            connection.execute(
                "insert into purchases (id, customer_id, items, quoted, currency, status, created_at, ended_at)"
                " values (%s, 1, '[]', 1, 'USD', %s, now() - %s * interval '1 day', now() - %s * interval '1 day')",
                (id, status, age, ended),
            )
            connection.execute(
                "insert into purchase_keys (customer_id, key, request, purchase_id, since)"
                " values (1, %s, '', %s, now() - %s * interval '1 day')",
                (str(id), id, age),
            )
            for number in range(MANY):
                connection.execute(
                    "insert into purchase_events (purchase_id, number, type, data, at)"
                    " values (%s, %s, 'step', '{}', now() - %s * interval '1 day')",
                    (id, number, age),
                )
    assert forgotten("purchase", database) == MANY + 3 + MANY  # what was heard; three keys; what was told of one purchase
    assert rows(database, "select id from purchases order by id") == [1, 2, 3, 4]
    assert rows(database, "select key from purchase_keys") == ["2"]
    assert rows(database, "select distinct purchase_id from purchase_events order by 1") == [2, 3, 4]
    assert rows(database, "select distinct left(id, 1) from sagacity.inbox") == ["1"]


def test_of_a_purchase_of_long_ago_it_is_told_how_it_ended(database: str) -> None:
    """A browser that follows it is not kept waiting for a result that has been told."""
    settings = Database(url=Secret(migrated("purchase", database)))

    async def go() -> tuple[httpx.Response, httpx.Response]:
        async with Pool(settings) as pool:
            async with pool.transaction() as connection:
                await purchases.add(connection, OLD)
                await purchases.end(connection, OLD.id, "SUCCESS", None, LONG_AGO)
            streams = Streams(pool, StreamSettings())
            given = {"pool": pool, "placing": None, "streams": streams}
            app: Any = create_app(Service("purchase"), ROUTES, settings=Http(), authority=Everybody(), dependencies=given)
            asking = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
            async with asking, asyncio.timeout(30):
                asking.headers["Authorization"] = "Bearer x"
                return await asking.get("/api/v1/purchases/7"), await asking.get("/api/v1/purchases/7/events")

    purchase, events = asyncio.run(go())
    assert (purchase.json()["status"], purchase.json()["steps"]) == ("SUCCESS", [])
    assert (events.status_code, events.content) == (204, b"")


def test_a_database_that_is_away_ends_no_service(database: str) -> None:
    asked = 0
    again = asyncio.Event()

    async def forgetful(connection: Connection, after: timedelta, most: int) -> int:
        nonlocal asked
        del after, most
        asked += 1
        if asked == 3:
            again.set()
            return 0
        await connection.execute("select 1 / 0")
        return 1

    async def go() -> None:
        async with Pool(Database(url=Secret(database))) as pool:
            task = asyncio.create_task(Forgetting(pool, KEEP_FOR, forgetful, every=0).run())
            async with asyncio.timeout(60):
                await again.wait()
            task.cancel()

    asyncio.run(go())


def test_what_cannot_be_forgotten_keeps_nothing_else_from_being(database: str) -> None:
    async def broken(connection: Connection, after: timedelta, most: int) -> int:
        del after, most
        await connection.execute("select 1 / 0")
        return 1

    async def go() -> int:
        async with Pool(Database(url=Secret(database))) as pool:
            return await Forgetting(pool, KEEP_FOR, broken, heard).once()

    migrated("warehouse", database)
    filled(database, hear)
    assert asyncio.run(go()) == MANY


def test_what_redelivery_needs_cannot_be_forgotten_by_a_mistaken_setting() -> None:
    with pytest.raises(SettingsError, match=r"WAREHOUSE_KEEP_FOR: '0s' cannot be used: it must be at least 1h"):
        load(
            import_module("shop.warehouse.settings").Settings,
            "WAREHOUSE",
            {"WAREHOUSE_DATABASE_URL": "postgresql://x", "WAREHOUSE_KAFKA_SERVERS": "x:1"} | {"WAREHOUSE_KEEP_FOR": "0s"},
        )


LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
OLD = Purchase(
    id=7, customer_id=3, items=(Line(11, 1),), quoted=450, currency="USD", status="PENDING", reason=None,
    created_at=LONG_AGO, ended_at=None,
)  # fmt: skip


class Everybody:
    """An authority to which each token is the same customer's."""

    async def ask(self, token: str) -> Answer | None:
        del token
        return Answer(Caller(3, frozenset()), expired=False)


async def hear(connection: AsyncConnection[Any]) -> None:
    """Take messages on, some of them long ago."""
    for age in AGES:
        envelopes = [Envelope(id=f"{age.days}-{each}", type="T", source="/s", time=1, key="7") for each in range(MANY)]
        await inbox.take(connection, "somebody", envelopes)
        await connection.execute("update sagacity.inbox set since = now() - %s where id like %s", (age, f"{age.days}-%"))
