"""How many sagas stand how and since when, for metrics: cheap however many have ended."""

from __future__ import annotations

from collections.abc import Sequence

from sagacity.saga.postgres.connection import Connection

__all__ = ["oldest_parked", "still_open"]

_OPEN = "select definition, status, count(*) from sagacity.sagas where ended is null group by definition, status"
_PARKED = "select definition, min(started) from sagacity.sagas where ended is null and status = 'parked' group by definition"


async def still_open(connection: Connection) -> Sequence[tuple[str, str, int]]:
    """How many sagas have not ended, by definition and status."""
    return await (await connection.execute(_OPEN)).fetchall()


async def oldest_parked(connection: Connection) -> Sequence[tuple[str, int]]:
    """When the oldest saga that is parked was started, by definition; in microseconds since 1970, UTC."""
    return await (await connection.execute(_PARKED)).fetchall()
