"""The product service against its own description: whatever is asked, fitting or not, is answered as it says, never with
5xx."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from api_checks import check_api, operations
from product_stories import ADMIN, replicas, stocked
from sagacity.testing.servers.postgres import PostgreSQL
from sagacity.testing.servers.redis import RedisCluster

OPERATIONS = [
    ("/api/v1/products", "get"),
    ("/api/v1/products", "post"),
    ("/api/v1/products/{product_id}", "get"),
    ("/api/v1/products/{product_id}", "put"),
    ("/api/v1/categories", "get"),
    ("/api/v1/categories", "post"),
    ("/api/v1/categories/{category_id}", "get"),
    ("/api/v1/categories/{category_id}", "put"),
    ("/api/v1/categories/{category_id}", "delete"),
]


@pytest.fixture(scope="module")
def served(postgres: PostgreSQL, redis_cluster: RedisCluster) -> Iterator[str]:
    """The service on a thread of its own; where it answers."""
    where: list[str] = []
    ready, over = threading.Event(), threading.Event()

    async def serve(dsn: str) -> None:
        try:
            async with replicas(dsn, redis_cluster.addresses) as (replica,):
                where.append(str(replica.client.base_url).removesuffix("/api/v1/"))
                ready.set()
                await asyncio.to_thread(over.wait)
        finally:
            ready.set()

    with postgres.database() as dsn, stocked(dsn, tea=5):
        thread = threading.Thread(target=lambda: asyncio.run(serve(dsn)))
        thread.start()
        try:
            ready.wait(60)
            yield where[0]
        finally:
            over.set()
            thread.join(60)


def test_the_description_names_every_operation(served: str) -> None:
    document, described = operations(served, "product")
    assert sorted(described) == sorted(OPERATIONS)
    for item in document["paths"].values():
        for method, operation in item.items():
            assert operation["summary"]
            assert ("security" in operation) == (method != "get")


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_whatever_is_asked_is_answered_as_described(served: str, path: str, method: str) -> None:
    document, _ = operations(served, "product")
    check_api(served, document, path, method, headers=ADMIN, many=6)
