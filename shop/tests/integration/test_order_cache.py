"""Orders and payments through the cache, on a real Redis cluster: what has changed is seen by every replica."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import psycopg
import pytest
from prometheus_client import CollectorRegistry
from test_order_and_payment import CREATE_ORDER, CREATE_PAYMENT, ROLLBACK_ORDER, ROLLBACK_PAYMENT

import shop.order.http
import shop.order.wiring
import shop.payment.http
import shop.payment.wiring
from sagacity.testing.servers.redis import RedisCluster
from shop.chassis.cache.cache import Cache
from shop.chassis.cache.rows import Load, row_cache
from shop.chassis.cache.settings import Caching, Redis
from shop.chassis.database import Pool
from shop.chassis.ids import Ids
from shop.chassis.migrating import migrate_now
from shop.chassis.parts import Database
from shop.chassis.settings import Secret
from shop.order.handlers import participant as orders_of
from shop.payment.handlers import participant as payments_of
from shop.payment.ruled import RuledProvider

_WITHIN = 60.0
BY_WORD_ALONE = Caching(local=timedelta(hours=1), sweep=timedelta(hours=1))
"""Nothing that was read ends, and nothing is asked for, while a test waits: only the database's word of a change is left."""


@asynccontextmanager
async def replica(pool: Pool, nodes: str, table: str, load: Load) -> AsyncIterator[Cache]:
    redis = Redis(nodes=tuple(nodes.split(",")))
    async with row_cache(f"test-{table}:1", table, load, pool, redis, BY_WORD_ALONE, CollectorRegistry()) as cache:
        yield cache


async def shows(cache: Cache, key: str, status: str) -> None:
    """Wait until a replica tells this status."""
    async with asyncio.timeout(_WITHIN):
        while True:
            kept = await cache.read(key)
            if kept.value is not None and msgspec.json.decode(kept.value)["status"] == status:
                return
            await asyncio.sleep(0.02)


def ids(dsn: str, table: str) -> list[str]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return [str(id) for (id,) in connection.execute(f"select id from {table}".encode()).fetchall()]


@pytest.mark.parametrize("table", ["orders", "payments"])
def test_what_one_replica_writes_and_undoes_is_seen_by_another(
    database: str, redis_cluster: RedisCluster, table: str
) -> None:
    """Defect 10: caches of other replicas were never told of a change."""
    service = shop.order if table == "orders" else shop.payment
    migrate_now(database, service.wiring.REVISIONS)

    async def story() -> None:
        async with Pool(Database(url=Secret(database), pool=6)) as pool:
            load = service.http.loads(pool)
            nodes = redis_cluster.addresses
            async with replica(pool, nodes, table, load) as here, replica(pool, nodes, table, load) as there:
                assert (await there.read("17")).value is None
                if table == "orders":
                    participant = orders_of(database, Ids(1), here)
                    do, undo, first, last = CREATE_ORDER, ROLLBACK_ORDER, "CREATED", "CANCELLED"
                else:
                    participant = payments_of(database, Ids(1), RuledProvider(), here)
                    do, undo, first, last = CREATE_PAYMENT, ROLLBACK_PAYMENT, "RECEIVED", "REFUNDED"
                await participant.do([do])
                [key] = ids(database, table)
                for cache in (here, there):
                    await shows(cache, key, first)
                await participant.do([undo])
                for cache in (here, there):
                    await shows(cache, key, last)
                await participant.close()

    asyncio.run(story())


@pytest.mark.parametrize("table", ["orders", "payments"])
def test_a_table_that_begins_to_count_its_versions_is_not_written_anew(database: str, table: str, tmp_path: Path) -> None:
    """Whoever reads and writes it waits meanwhile, and every cache would hear of every row."""
    service = shop.order if table == "orders" else shop.payment
    shutil.copy(service.wiring.REVISIONS / f"0001_{table}.py", tmp_path)
    migrate_now(database, tmp_path)
    columns = {
        "orders": "id, purchase_id, customer_id, amount, currency, status, created_at",
        "payments": "id, purchase_id, customer_id, amount, currency, status, received_at, order_id, charge",
    }
    row = (1, 1, 1, 1, "USD", "CREATED" if table == "orders" else "RECEIVED", "2026-11-23Z", 1, "1")
    with psycopg.connect(database, autocommit=True) as connection:
        wanted = len(columns[table].split(","))
        add = f"insert into {table} ({columns[table]}) values ({', '.join(['%s'] * wanted)})".encode()
        connection.execute(add, row[:wanted])
        [(before,)] = connection.execute("select pg_relation_filenode(%s)", (table,)).fetchall()
        migrate_now(database, service.wiring.REVISIONS)
        [(after,)] = connection.execute("select pg_relation_filenode(%s)", (table,)).fetchall()
        assert after == before
        connection.execute(add, (2, 2, *row[2:wanted]))
        of_late = f"select id, version from {table} where changed_at > now() - interval '1 hour'".encode()
        assert connection.execute(of_late).fetchall() == [(2, 1)]
        connection.execute(f"update {table} set amount = 2 where id = 1".encode())
        assert connection.execute(of_late + b" order by 1").fetchall() == [(1, 2), (2, 1)]
