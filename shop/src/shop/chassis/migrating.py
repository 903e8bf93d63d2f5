"""Brings a service's database up to date, by Alembic: one folder of revisions a service, run by command or on start."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagacity.messaging.postgres.connecting import server_bounds, with_client_bounds

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["behind", "migrate", "migrate_now"]

_LOCK = 7_238_200
"""An advisory lock: of replicas that start at once, one migrates and the others wait for it."""

_UNHURRIED = {"statement_timeout": "0", "lock_timeout": "0"}
"""A revision takes as long as it takes, and so does waiting for another replica's. A server or a client that is gone is
found out."""


async def migrate(url: str, revisions: Path) -> None:
    """Run the revisions in a folder that the database at `url` has not seen; as often as one likes, by any number at
    once."""
    await asyncio.to_thread(migrate_now, url, revisions)


async def behind(url: str, revisions: Path) -> str | None:
    """What the database at `url` lacks of the revisions in a folder; None where it lacks nothing. One that is at a revision
    which is not among them was brought there by a newer program, beside which this one works. Raises
    psycopg.OperationalError."""
    return await asyncio.to_thread(_behind, url, revisions)


def _behind(url: str, revisions: Path) -> str | None:
    import psycopg
    from alembic.script import ScriptDirectory

    known = [each.revision for each in ScriptDirectory.from_config(_config(revisions)).walk_revisions()]
    with psycopg.connect(with_client_bounds(url), autocommit=True) as connection:
        there = connection.execute("select to_regclass('alembic_version') is not null").fetchone()
        row = connection.execute("select version_num from alembic_version").fetchone() if there and there[0] else None
    at = None if row is None else str(row[0])
    if at == known[0] or (at is not None and at not in known):
        return None
    return f"the database is at revision {at or 'none'}, and must be at {known[0]}"


def _config(revisions: Path) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("version_locations", str(revisions))
    config.set_main_option("path_separator", "newline")
    return config


def migrate_now(url: str, revisions: Path) -> None:
    """The same, in the caller's thread."""
    import psycopg
    from alembic import command
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    def connected() -> psycopg.Connection[Any]:
        connection = psycopg.connect(with_client_bounds(url), autocommit=True)
        connection.execute(*server_bounds(**_UNHURRIED))
        connection.autocommit = False
        return connection

    engine = create_engine("postgresql+psycopg://", creator=connected, poolclass=NullPool)
    config = _config(revisions)
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        try:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            connection.commit()
