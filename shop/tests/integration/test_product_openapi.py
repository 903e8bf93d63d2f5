"""The product service against its own description: whatever is asked, fitting or not, is answered as it says, never with
5xx."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from product_stories import ADMIN, replicas, stocked
from sagacity.testing.servers.postgres import PostgreSQL
from sagacity.testing.servers.redis import RedisCluster

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance, status_code_conformance]
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

ASKED = [
    (path, method, mode)
    for path, method in OPERATIONS
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode == GenerationMode.POSITIVE or method != "get" or "{" not in path  # any text may be asked for as an id
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
    document = httpx.get(f"{served}/product/openapi.json", timeout=60).json()
    assert sorted((path, method) for path, item in document["paths"].items() for method in item) == sorted(OPERATIONS)
    for item in document["paths"].values():
        for method, operation in item.items():
            assert operation["summary"]
            assert ("security" in operation) == (method != "get")


@pytest.mark.parametrize(
    ("path", "method", "mode"), ASKED, ids=[f"{mode.value} {method} {path}" for path, method, mode in ASKED]
)
def test_whatever_is_asked_is_answered_as_described(served: str, path: str, method: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{served}/product/openapi.json")
    operation = schema[path][method.upper()]

    @settings(
        max_examples=6,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered(case: Any) -> None:
        case.call_and_validate(base_url=served, headers=ADMIN, checks=CHECKS)

    answered()
