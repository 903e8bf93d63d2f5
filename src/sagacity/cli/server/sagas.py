"""The sagas that a server shows: where they are, and whether they can be asked for at its start."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sagacity.errors import MessagingError, StoreError

if TYPE_CHECKING:
    from sagacity.cli.server.config import Config
    from sagacity.web.saga_desk import SagaDesk

__all__ = ["sagas_of", "why_away"]

_WITHIN = 3.0
"""Seconds that a start waits for a database that says nothing."""


def sagas_of(config: Config) -> SagaDesk | None:
    """The sagas that are shown, if any are. Nothing is connected to yet: the server starts whether their database is up or
    not. Raises UsageError where the address makes no sense."""
    if config.sagas is None:
        return None
    from sagacity.saga.postgres.operations import Operations

    return Operations(config.sagas)


def why_away(dsn: str) -> StoreError | MessagingError | None:
    """Why the sagas in a database cannot be shown now; None where they can."""
    from sagacity.saga.postgres.listing import Which
    from sagacity.saga.postgres.operations import Operations

    async def look() -> None:
        sagas = Operations(dsn, within=_WITHIN)
        try:
            await sagas.sagas(Which(), most=1)
        finally:
            await sagas.close()

    try:
        asyncio.run(look())
    except (StoreError, MessagingError) as error:
        return error
    return None
