"""Real servers for the shop's tests: each is started once for a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sagacity.testing.servers import UnavailableError
from sagacity.testing.servers.redis import RedisCluster, prepare_redis


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[RedisCluster]:
    """A running Redis cluster of six nodes. A test that stops nodes starts them again."""
    try:
        cluster = RedisCluster(prepare_redis())
    except UnavailableError as error:
        pytest.skip(f"no Redis cluster can be had: {error.message}")
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()
