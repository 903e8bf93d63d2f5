"""How many sagas stand how, for metrics: cheap however many have ended."""

from __future__ import annotations

from collections.abc import Sequence

from sagacity.saga.postgres.connection import Connection

__all__ = ["still_open"]

_OPEN = "select definition, status, count(*) from sagacity.sagas where ended is null group by definition, status"


async def still_open(connection: Connection) -> Sequence[tuple[str, str, int]]:
    """How many sagas have not ended, by definition and status."""
    return await (await connection.execute(_OPEN)).fetchall()
