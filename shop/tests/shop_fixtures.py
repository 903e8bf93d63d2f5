"""Fixtures of the shop's tests: databases with a service's tables in them, and an account service that whoever needs tokens
can share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts import AccountServer, account_server
from sagacity.testing.servers.kafka import Broker, prepare_broker
from sagacity.testing.servers.postgres import PostgreSQL
from sagacity.testing.servers.redis import RedisCluster, prepare_redis
from server_fixtures import at_hand
from shop.account.wiring import REVISIONS
from shop.chassis.migrating import migrate_now
from whole_shop import Shop, opened
from wired_services import LIMIT


@pytest.fixture(scope="session")
def account_tables(postgres: PostgreSQL) -> Iterator[str]:
    """The account database, up to date; shared by tests, each of which makes accounts of its own. Its dsn."""
    with postgres.database() as dsn:
        migrate_now(dsn, REVISIONS)
        yield dsn


@pytest.fixture(scope="session")
def account(account_tables: str) -> Iterator[AccountServer]:
    """An account service that runs."""
    with account_server(account_tables) as server:
        yield server


@pytest.fixture(scope="module")
def shop(postgres: PostgreSQL) -> Iterator[Shop]:
    """The whole shop, with something to buy; shared by the tests of a module, each of which makes purchases of its own. Its
    broker and its Redis are its alone: while it runs it takes whatever command is given there."""
    with (
        at_hand(lambda: Broker(prepare_broker())) as broker,
        at_hand(lambda: RedisCluster(prepare_redis())) as redis,
        opened(broker, postgres, redis) as running,
    ):
        running.stock({11: (450, 1000), 12: (1200, 1000), 13: (LIMIT, 10), 14: (100, 1)})
        yield running
