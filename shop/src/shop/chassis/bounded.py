"""A connection to PostgreSQL that is given up where the server does not answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
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
        loop, patience, hung_up = asyncio.get_running_loop(), self.patience, False
        timer = loop.call_later(patience, lambda: look())

        def look() -> None:
            nonlocal timer, hung_up
            if self._spoken():
                timer = loop.call_later(patience, look)
            else:
                hung_up = True
                self._hang_up()

        try:
            return await super().wait(*args, **more)
        except OperationalError as error:
            if hung_up:
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

    def _spoken(self) -> bool:
        """Whether there is something to read: where this process had no time for it, the server is not to blame."""
        with contextlib.suppress(OSError, OperationalError):
            waiting = select.poll()
            waiting.register(self.pgconn.socket, select.POLLIN)
            return bool(waiting.poll(0))
        return False

    def _hang_up(self) -> None:
        """Ends the line, which psycopg then finds lost. To cancel what waits would mean to ask the server for it."""
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
