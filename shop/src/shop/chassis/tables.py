"""A service's schema: Sagacity's own tables (outbox, inbox, what participants answered, sagas), made from within revisions,
and revisions run on start or by command.

    def upgrade() -> None:
        bring_up_to_date(op.get_bind(), MESSAGING, PARTICIPANT)

A revision that says so can be repeated by a later one: each of the library's numbered steps is done once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from psycopg import OperationalError
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError as SqlOperationalError

from sagacity.errors import SagacityError
from sagacity.messaging.postgres.schema import Component, upgrade
from shop.chassis import parts
from shop.chassis.command import Command
from shop.chassis.logs import logger
from shop.chassis.migrating import behind, migrate

__all__ = ["BehindError", "UpToDate", "bring_up_to_date", "migrate_command"]

_PAUSE = 0.25
_log = logger("shop.schema")


def bring_up_to_date(bind: Connection, *components: Component) -> None:
    """Make the tables of these, or bring them to this program's version, in the revision's transaction."""
    for component in components:
        there = bind.execute(text("select to_regclass('sagacity.versions') is not null")).scalar()
        asked = text("select version from sagacity.versions where component = :component")
        version = bind.execute(asked, {"component": component.name}).scalar() if there else None
        if (version or 0) < len(component.steps):
            for statement in upgrade(component, version or 0):
                bind.exec_driver_sql(statement)


class BehindError(SagacityError):
    """The database's tables are older than the program."""


class UpToDate:
    """A part, to be added before what uses the database: runs a service's revisions when it is entered, if `on_start`
    says so; else it waits until somebody has run them, for what is taken before would fail. A database that is away is
    waited for as the settings say, and so is one that is behind."""

    def __init__(self, settings: parts.Database, revisions: Path, *, on_start: bool) -> None:
        self._settings = settings
        self._revisions = revisions
        self._on_start = on_start

    async def __aenter__(self) -> UpToDate:
        limit = time.monotonic() + self._settings.wait_on_start.total_seconds()
        said = False
        while True:
            try:
                await self._ready()
                return self
            except (OperationalError, SqlOperationalError, BehindError) as error:
                if time.monotonic() > limit:
                    raise
                if not said and isinstance(error, BehindError):
                    said = True
                    _log.warning("the database is waited for", reason=error.message, hint=error.hint)
                await asyncio.sleep(_PAUSE)

    async def __aexit__(self, *_: object) -> None:
        return None

    async def _ready(self) -> None:
        if self._on_start:
            await migrate(self._settings.url.reveal(), self._revisions)
        elif lacking := await behind(self._settings.url.reveal(), self._revisions):
            service = self._revisions.parent.name
            hint = f"run `python -m shop.{service} migrate`, or set {service.upper()}_MIGRATE_ON_START=true"
            raise BehindError(lacking, hint=hint)


def migrate_command(database: Callable[[Any], parts.Database], revisions: Path) -> Command[Any]:
    """`python -m shop.<service> migrate`: the same, at once. `database` finds the database's settings in the service's."""

    async def run(settings: Any) -> str:
        await migrate(database(settings).url.reveal(), revisions)
        return "the database is up to date"

    return Command("bring the database up to date, and end", run)
