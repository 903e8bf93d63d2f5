"""The product service over gRPC, on a real PostgreSQL and a real Redis cluster."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import psycopg
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cache_stories import told
from product_stories import Replica, replicas, stocked
from sagacity.testing.servers.postgres import PostgreSQL
from sagacity.testing.servers.redis import RedisCluster
from shop.contracts.proto import product_pb2


async def checked(replica: Replica, *items: tuple[int, int]) -> list[tuple[int, str, int | None]]:
    """Of each item its product, its status, and the price that was told."""
    asked = [product_pb2.CheckedItem(product_id=id, quantity=quantity) for id, quantity in items]
    answer = await replica.stub.CheckProducts(product_pb2.CheckProductsRequest(items=asked))
    return [
        (each.product_id, product_pb2.ProductStatus.Name(each.status), each.price.amount if each.HasField("price") else None)
        for each in answer.products
    ]


def test_defect_11_each_item_is_told_apart_and_the_last_unit_is_there(database: str, redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        async with replicas(database, redis_cluster.addresses) as (replica,):
            tea, milk = ids["tea"], ids["milk"]
            assert await checked(replica, (tea, 5), (milk, 2), (9, 1)) == [
                (tea, "OK", 100), (milk, "NOT_ENOUGH", 100), (9, "NOT_FOUND", None),
            ]  # fmt: skip

    with stocked(database, tea=5, milk=1) as ids:
        told(story)


def test_defect_11_a_product_listed_twice_must_be_there_for_both(database: str, redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        async with replicas(database, redis_cluster.addresses) as (replica,):
            tea = ids["tea"]
            assert await checked(replica, (tea, 3), (tea, 3)) == [(tea, "NOT_ENOUGH", 100)] * 2
            assert await checked(replica, (tea, 3), (tea, 2)) == [(tea, "OK", 100)] * 2

    with stocked(database, tea=5) as ids:
        told(story)


def test_defect_10_what_is_checked_is_read_from_the_database_whatever_is_cached(
    database: str, redis_cluster: RedisCluster
) -> None:
    async def story() -> None:
        async with replicas(database, redis_cluster.addresses) as (replica,):
            tea = ids["tea"]
            await replica.client.get(f"/products/{tea}")
            assert await checked(replica, (tea, 5)) == [(tea, "OK", 100)]
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute("update products set price = 250, inventory = 4")
            assert await checked(replica, (tea, 5)) == [(tea, "NOT_ENOUGH", 250)]  # at once, and for the quantity asked
            assert await checked(replica, (tea, 4)) == [(tea, "OK", 250)]

    with stocked(database, tea=5) as ids:
        told(story)


def test_products_are_got_those_that_there_are(database: str, redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        async with replicas(database, redis_cluster.addresses) as (replica,):
            wanted = [ids["tea"], 5, ids["milk"], ids["tea"]]
            asked = product_pb2.GetProductsRequest(ids=wanted)
            # The filter hears of what others than a service wrote once the replica has read what changed of late.
            while not (answer := await replica.stub.GetProducts(asked)).products:
                await asyncio.sleep(0.05)
            assert sorted((each.id, each.name, each.price.amount, each.available) for each in answer.products) == sorted(
                [(ids["tea"], "tea", 100, 5), (ids["milk"], "milk", 100, 1)]
            )

    with stocked(database, tea=5, milk=1) as ids:
        told(story)


@pytest.mark.parametrize("quantity", [0, -1, 1 << 62])
def test_a_quantity_that_can_be_none_is_an_invalid_argument(
    quantity: int, database: str, redis_cluster: RedisCluster
) -> None:
    async def story() -> None:
        async with replicas(database, redis_cluster.addresses) as (replica,):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await checked(replica, (ids["tea"], quantity))
            error: Any = refused.value
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT

    with stocked(database, tea=5) as ids:
        told(story)


def moved_away(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("alter table products rename to elsewhere")


def test_a_database_that_is_away_is_an_internal_error_for_each_item(
    postgres: PostgreSQL, redis_cluster: RedisCluster
) -> None:
    async def story() -> None:
        async with replicas(dsn, redis_cluster.addresses) as (replica,):
            await asyncio.to_thread(moved_away, dsn)  # it may have to wait for what the replica reads just now
            assert await checked(replica, (ids["tea"], 1), (9, 1)) == [
                (ids["tea"], "INTERNAL_ERROR", None), (9, "INTERNAL_ERROR", None),
            ]  # fmt: skip

    with postgres.database() as dsn, stocked(dsn, tea=5) as ids:
        told(story)


def test_it_says_that_it_serves(database: str, redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        async with replicas(database, redis_cluster.addresses) as (replica,):
            health = health_pb2_grpc.HealthStub(replica.channel)
            answer = await health.Check(health_pb2.HealthCheckRequest(service="product.ProductService"))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING

    with stocked(database):
        told(story)
