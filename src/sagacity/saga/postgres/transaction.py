"""The transaction that a handler gets: that in which its answer is kept. What it does stands if it succeeds, else not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from psycopg import AsyncCursor

from sagacity.saga.postgres.connection import Connection, Held

__all__ = ["Parameters", "Transaction"]

Parameters: TypeAlias = "Sequence[Any] | Mapping[str, Any] | None"


class Transaction:
    """What a handler writes with. Several handlers share a database transaction, each within a savepoint of its own, which
    is made when the handler first needs it. It is not the handler's to commit, and of no use once that has returned."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._connection: Connection | None = None

    async def execute(self, query: str, parameters: Parameters = None) -> AsyncCursor[Any]:
        """Run SQL with psycopg's parameters (`%s`); the cursor has the rows."""
        if self._connection is not None:
            return await self._connection.execute(query.encode(), parameters)
        connection = await self._held.begin()
        async with connection.pipeline():
            await self._begin(connection)
            return await connection.execute(query.encode(), parameters)

    async def connection(self) -> Connection:
        """psycopg's connection, for what `execute` does not do. Neither commit nor roll back on it."""
        if self._connection is None:
            connection = await self._held.begin()
            async with connection.pipeline():
                await self._begin(connection)
        assert self._connection is not None
        return self._connection

    async def keep(self) -> None:
        """The handler has succeeded. Its savepoint is let go of when the next is made, which goes with the next query."""
        self._held.kept = self._held.kept or self._connection is not None

    async def undo(self) -> None:
        """The handler has failed: what it did is undone."""
        if self._connection is not None:
            await self._connection.execute("rollback to savepoint handler")
            await self._connection.execute("release savepoint handler")

    async def _begin(self, connection: Connection) -> None:
        """Make the savepoint; it is sent with what follows."""
        self._connection, kept, self._held.kept = connection, self._held.kept, False
        if kept:
            await connection.execute("release savepoint handler")
        await connection.execute("savepoint handler")

    @property
    def lost(self) -> bool:
        """Whether there is no connection any more to undo anything on: the whole transaction has failed."""
        return self._held.lost
