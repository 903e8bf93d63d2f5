"""Real servers for the shop's tests: each is started once for a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sagacity.testing.servers import UnavailableError
from sagacity.testing.servers.kafka import Broker, prepare_broker
from sagacity.testing.servers.postgres import PostgreSQL, prepare_postgres
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


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A running PostgreSQL. A test that stops it starts it again."""
    try:
        server = PostgreSQL(prepare_postgres())
    except UnavailableError as error:
        pytest.skip(f"no PostgreSQL can be had: {error.message}")
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def database(postgres: PostgreSQL) -> Iterator[str]:
    """An empty database of the test's own: its dsn."""
    with postgres.database() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running broker. A test that stops it starts it again."""
    try:
        running = Broker(prepare_broker(), tmp_path_factory.mktemp("broker"))
    except UnavailableError as error:
        pytest.skip(f"no broker of Kafka's protocol can be had: {error.message}")
    try:
        running.start()
        yield running
    finally:
        running.stop()
