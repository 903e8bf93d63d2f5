"""Fixtures of the shop's tests: databases with a service's tables in them, and the account service as a running process
part."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sagacity.testing.servers.postgres import PostgreSQL
from shop.account.wiring import REVISIONS
from shop.chassis.migrating import migrate_now


@pytest.fixture(scope="session")
def account_tables(postgres: PostgreSQL) -> Iterator[str]:
    """The account database, up to date; shared by tests, each of which makes accounts of its own. Its dsn."""
    with postgres.database() as dsn:
        migrate_now(dsn, REVISIONS)
        yield dsn
