"""A connection that comes back after it was lost, and transactions whose statements are sent in one go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from psycopg import AsyncConnection, Error, InterfaceError, OperationalError
from psycopg.errors import InvalidSchemaName, UndefinedFunction, UndefinedTable

from sagacity.errors import MessagingError, StoreError
from sagacity.messaging.postgres.connecting import connect

__all__ = ["Connection", "Held", "Lasting", "connected"]

Connection: TypeAlias = AsyncConnection[Any]
_LOST = (OperationalError, InterfaceError)
_ABSENT = (InvalidSchemaName, UndefinedTable, UndefinedFunction)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Connection]:
    """A connection for one thing; raises StoreError where the database cannot be reached, or fails."""
    try:
        async with await connect(dsn) as connection:
            yield connection
    except _LOST as error:
        raise _unavailable(error) from error
    except _ABSENT as error:
        raise _not_installed(error) from error


class Lasting:
    """One connection, made anew when it was lost. One transaction at a time; it belongs to one event loop."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Connection | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction: committed at the end, rolled back for any exception.

        Statements whose results are not asked for are sent together, and fail together, at the end at the latest. Raises
        StoreError for what may pass: a lost connection, a deadlock; nothing is kept then.
        """
        async with self.borrowed() as connection, connection.pipeline():
            await connection.execute("begin")
            yield connection
            await connection.execute("commit")

    @asynccontextmanager
    async def borrowed(self) -> AsyncIterator[Connection]:
        """The connection itself, for a transaction that the caller begins and commits; rolled back for any exception.
        Raises StoreError as `transaction` does."""
        connection = await self._open()
        try:
            yield connection
        except _LOST as error:
            await self._ended(connection, broken=True)
            raise _unavailable(error) from error
        except _ABSENT as error:
            await self._ended(connection, broken=False)
            raise _not_installed(error) from error
        except BaseException:
            await self._ended(connection, broken=False)
            raise

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            try:
                self._connection = await connect(self._dsn, prepare_threshold=None)
            except _LOST as error:
                raise _unavailable(error) from error
        return self._connection

    async def _ended(self, connection: Connection, *, broken: bool) -> None:
        """Leave no transaction open, and no connection of which that is not certain."""
        try:
            if not broken and not connection.closed:
                await connection.rollback()
                return
        except Error:
            pass
        self._connection = None
        await connection.close()


class Held:
    """A connection on which a transaction is begun once somebody needs it. `kept`: the savepoint of a handler that has
    succeeded still stands there."""

    def __init__(self, connection: Connection, *, begun: bool = False) -> None:
        self.kept = False
        self._connection = connection
        self._begun = begun

    @property
    def lost(self) -> bool:
        """Whether there is no connection any more."""
        return self._connection.closed

    async def begin(self) -> Connection:
        """The connection, in its transaction."""
        if not self._begun:
            self._begun = True
            await self._connection.execute("begin")
        return self._connection

    async def end(self, write: Callable[[], Awaitable[None]], *, single: bool) -> None:
        """Write, and commit. `single`: what is written is one statement, and needs no transaction unless one is begun."""
        if single and not self._begun:
            await write()
            return
        async with self._connection.pipeline():
            await self.begin()
            await write()
            await self._connection.execute("commit")


def _unavailable(error: Error) -> StoreError:
    return StoreError(f"the database: {str(error).strip() or type(error).__name__}", hint="it is tried again")


def _not_installed(error: Error) -> MessagingError:
    hint = "await sagacity.saga.install(dsn), for a participant install_participant(dsn)"
    return MessagingError(f"the tables are not there, or not all: {str(error).splitlines()[0]}", hint=hint)
