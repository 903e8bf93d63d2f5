"""PostgreSQL: a pool of connections, as a part of a service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from psycopg import AsyncConnection, Error, OperationalError
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from sagacity.messaging.postgres.connecting import server_bounds, with_client_bounds
from shop.chassis import parts
from shop.chassis.bounded import BoundedConnection
from shop.chassis.failures import Failure

__all__ = ["Connection", "Pool"]

Connection: TypeAlias = AsyncConnection[Any]

_TELL_WITHIN = 5
_GRACE = 1.5
"""How much longer than a statement may take the server is waited for: it should have ended it, and said so."""
_TRY_AGAIN = 0.5
"""Seconds. The pool's own pauses would grow to minutes, and the service be away for as long after its database is back."""


class Pool:
    """Connections to a service's database. `url` is what participants, relays and migrations connect to by themselves.

    Nothing waits for longer than the settings say: neither for a free connection, nor for a statement, whether the server is
    slow, does not answer, or is gone without a word."""

    def __init__(self, settings: parts.Database) -> None:
        self.url = settings.url.reveal()
        self._wait_on_start = settings.wait_on_start.total_seconds()
        self._look = settings.wait.total_seconds() / 2
        self._statement = settings.statement.total_seconds()
        self._pool: AsyncConnectionPool[BoundedConnection] = AsyncConnectionPool(
            with_client_bounds(self.url),
            connection_class=BoundedConnection,
            min_size=1,
            max_size=settings.pool,
            timeout=settings.wait.total_seconds(),
            configure=self._bound,
            check=self._alive,
            kwargs={"autocommit": True},
            reconnect_timeout=_TRY_AGAIN,
            reconnect_failed=_go_on,
            open=False,
        )

    async def __aenter__(self) -> Pool:
        try:
            await self._pool.open(wait=True, timeout=self._wait_on_start)
        except PoolTimeout:
            await self._pool.close()
            # Only a connection of one's own says why there is none.
            async with await AsyncConnection.connect(self.url, connect_timeout=_TELL_WITHIN):
                raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()

    async def check(self) -> str | None:
        """For readiness."""
        try:
            async with self._pool.connection(timeout=1.0) as connection:
                await connection.execute("select 1")
        except (Error, PoolTimeout) as error:
            return f"the database: {str(error).strip() or type(error).__name__}"
        return None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction: committed at the end, rolled back for any exception. Raises Failure 503 where the database is
        away."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection each of whose statements is a transaction of its own. Raises Failure 503 where the database is
        away."""
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (OperationalError, PoolTimeout) as error:
            raise Failure(503, "the database is away; try again", headers={"Retry-After": "1"}) from error

    async def _bound(self, connection: BoundedConnection) -> None:
        """The server ends what takes too long and says so; the connection is given up where it does not even do that."""
        connection.patience = self._statement * _GRACE
        await connection.execute(*server_bounds(statement_timeout=f"{self._statement * 1000:.0f}ms"))

    async def _alive(self, connection: BoundedConnection) -> None:
        """Before it is given to anybody: half of the time that one is waited for, so that another can be had in the rest."""
        connection.patience = self._look
        try:
            await connection.execute("")
        finally:
            connection.patience = self._statement * _GRACE


async def _go_on(pool: AsyncConnectionPool[BoundedConnection]) -> None:
    """Instead of giving up: a pool without connections begins to make one when it is checked."""
    await pool.check()
