"""A few connections to look at a database by, each question within bounds of time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import DataError, Error, ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import InsufficientPrivilege, InvalidSchemaName, UndefinedColumn, UndefinedTable

from sagacity.errors import MessagingError, StoreError, UsageError
from sagacity.messaging.postgres.connecting import connect
from sagacity.saga.postgres.connection import Connection

__all__ = ["Window", "place"]

_ABSENT = (InvalidSchemaName, UndefinedTable, UndefinedColumn)


class Window:
    """Of one event loop at a time. Whoever asks waits `within` so many seconds at most, for a connection, the connecting
    itself and the answer together; at most `most` ask at the same time. A connection that was lost is made anew."""

    def __init__(self, dsn: str, *, within: float = 5.0, most: int = 4) -> None:
        self.where = place(dsn)
        self._dsn = dsn
        self._within = within
        self._most = most
        self._turn = asyncio.Semaphore(most)
        self._idle: list[Connection] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Connection]:
        """A connection for one question. Raises StoreError where there is no answer in time, MessagingError where the tables
        are not there; whatever else is raised within goes through."""
        self._move()
        try:
            async with asyncio.timeout(self._within), self._turn:
                connection = await self._taken()
                try:
                    yield connection
                except BaseException:
                    await connection.close()
                    raise
                self._idle.append(connection)
        except TimeoutError as error:
            raise StoreError(
                f"the sagas' database {self.where} did not answer within {self._within:g} s", hint="look whether it is up"
            ) from error
        except _ABSENT as error:
            raise MessagingError(
                f"the sagas' database {self.where} has no tables of sagas, or not all",
                hint="await sagacity.saga.install(dsn) makes them",
            ) from error
        except (DataError, UnicodeEncodeError) as error:
            raise UsageError(
                f"the sagas' database cannot take that: {error}", hint="look at ids, names and numbers"
            ) from error
        except InsufficientPrivilege as error:
            hint = "its user needs to read the schema sagacity; to order, also to insert into saga_orders"
            raise StoreError(f"the sagas' database {self.where}: {_said(error)}", hint=hint) from error
        except Error as error:
            hint = "look whether it is up; check host, port, user, password (PGPASSWORD, ~/.pgpass) and its name"
            raise StoreError(f"the sagas' database {self.where}: {_said(error)}", hint=hint) from error

    async def close(self) -> None:
        """Let go of all connections."""
        self._move()
        while self._idle:
            await self._idle.pop().close()

    def _move(self) -> None:
        """Connections belong to the event loop that they were made on, and are of no use to another."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            for connection in self._idle:
                connection.pgconn.finish()
            self._loop, self._idle, self._turn = loop, [], asyncio.Semaphore(self._most)

    async def _taken(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            try:
                await connection.execute("select 1")
                return connection
            except Error:  # the server was started again meanwhile
                await connection.close()
        connection = await connect(self._dsn, application_name="sagacity")
        limit = max(int(self._within * 1000), 1)
        await connection.execute(f"set statement_timeout = {limit}".encode())
        return connection


def place(dsn: str) -> str:
    """Which database an address is of, without its password, to be said after `database`. Raises UsageError where it is no
    address."""
    try:
        said = conninfo_to_dict(dsn)
    except ProgrammingError:  # what it says may hold the password
        raise UsageError(
            "the address of the sagas' database cannot be read", hint="write postgresql://user@host:5432/name"
        ) from None
    host, port = said.get("host"), said.get("port")
    name = str(said.get("dbname") or "")
    at = f" on {host}{f':{port}' if port else ''}" if host else ""
    return f"{name}{at}".strip() or "that PostgreSQL's own variables name"


def _said(error: Error) -> str:
    """What PostgreSQL says, in one line."""
    lines = (" ".join(line.split()) for line in str(error).splitlines())
    return "; ".join(filter(None, lines))[:500] or type(error).__name__
