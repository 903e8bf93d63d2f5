"""A service whose database is not at the revision that it needs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest

from shop.chassis.migrating import migrate, migrate_now
from shop.chassis.parts import Database
from shop.chassis.settings import Secret
from shop.chassis.tables import BehindError, UpToDate
from shop.payment.wiring import REVISIONS


def entered(dsn: str, *, wait: timedelta = timedelta(0)) -> None:
    """Enter the part as a service does that is not to migrate."""

    async def go() -> None:
        async with UpToDate(Database(url=Secret(dsn), wait_on_start=wait), REVISIONS, on_start=False):
            pass

    asyncio.run(go())


def at(dsn: str, revision: str) -> str:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("update alembic_version set version_num = %s", (revision,))
    return dsn


def test_it_takes_nothing_before_somebody_has_migrated_and_says_how(database: str) -> None:
    """Payment's commands would be dead letters within seconds."""
    with pytest.raises(BehindError, match=r"at revision none, and must be at 0003") as refused:
        entered(database)
    assert "python -m shop.payment migrate" in str(refused.value)
    migrate_now(database, REVISIONS)
    with pytest.raises(BehindError, match=r"at revision 0002, and must be at 0003"):
        entered(at(database, "0002"))


def test_it_waits_for_whoever_migrates(database: str) -> None:
    async def go() -> None:
        settings = Database(url=Secret(database), wait_on_start=timedelta(minutes=1))
        part = asyncio.create_task(UpToDate(settings, REVISIONS, on_start=False).__aenter__())
        await asyncio.sleep(0)
        assert not part.done()
        await migrate(database, REVISIONS)
        await part

    asyncio.run(go())


def test_it_works_on_the_tables_of_the_next_release(database: str) -> None:
    """While replicas are replaced, and after a release was rolled back."""
    migrate_now(database, REVISIONS)
    entered(at(database, "9999"))
