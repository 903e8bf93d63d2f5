"""A connection to PostgreSQL that is given up where the server does not answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import Any

from psycopg import AsyncConnection, Notify, OperationalError
from psycopg.sql import SQL, Identifier

from sagacity.messaging.postgres.connecting import server_bounds, with_client_bounds

__all__ = ["BoundedConnection", "listening"]

_PATIENCE = 15.0
_LOOK = 5.0


class BoundedConnection(AsyncConnection[Any]):
    """Waits `patience` seconds for an answer, and is lost then: what is under way raises OperationalError.

    The server's bounds need a server that works, and those of the network find hosts that are gone: this one holds as well
    where the host lives and the server does not answer."""

    patience = _PATIENCE

    async def wait(self, *args: Any, **more: Any) -> Any:
        """What psycopg waits by."""
        patience, hung_up = self.patience, asyncio.Event()
        timer = asyncio.get_running_loop().call_later(patience, self._hang_up, hung_up)
        try:
            return await super().wait(*args, **more)
        except OperationalError as error:
            if hung_up.is_set():
                raise OperationalError(f"the database has not answered within {patience:g} s") from error
            raise
        finally:
            timer.cancel()

    async def notices(self, within: float) -> list[Notify]:
        """What one is told of next; nothing where that is nothing in so many seconds, or a few, after which the server is
        asked whether it is there at all."""
        told = [notice async for notice in self.notifies(timeout=min(within, _LOOK), stop_after=1)]
        if not told:
            await self.execute("")
        return told

    def _hang_up(self, hung_up: asyncio.Event) -> None:
        """Ends the line, which psycopg then finds lost. To cancel what waits would mean to ask the server for it."""
        hung_up.set()
        with contextlib.suppress(OSError, OperationalError), socket.socket(fileno=os.dup(self.pgconn.socket)) as line:
            line.shutdown(socket.SHUT_RDWR)


async def listening(url: str, channel: str) -> BoundedConnection:
    """A connection that is told of what comes on a channel. Raises OperationalError."""
    connection = await BoundedConnection.connect(with_client_bounds(url), autocommit=True)
    try:
        await connection.execute(*server_bounds())
        await connection.execute(SQL("listen {}").format(Identifier(channel)))
    except BaseException:
        await connection.close()
        raise
    return connection
