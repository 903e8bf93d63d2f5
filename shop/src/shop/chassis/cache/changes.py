"""What tells every replica that something has changed: the database itself, at the commit of the change.

A trigger calls `pg_notify(channel, '<key> <version>')` in the transaction of the change. So the message is sent if and only
if the change stands, whoever made it and whatever crashes after; it needs neither Redis nor the broker, and where the
database is away there is nothing to tell. Who was not listening for a while asks for what has changed since.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from shop.chassis.bounded import BoundedConnection, listening
from shop.chassis.cache.source import Change

__all__ = ["LONGEST", "Changes", "PostgresChanges", "Tell"]

_log = logging.getLogger("shop.cache")

_FAILOVER = 15.0
"""Seconds within which a node that is lost has been followed by its replica, which may not know what was written last."""
LONGEST = 60.0
"""Seconds that a transaction may take from a change in it to its commit."""

_AT_ONCE = 1_000
"""However many have changed."""

Tell = Callable[[Sequence[Change]], Awaitable[None]]


class Changes(Protocol):
    """Where changes are heard of. Each is told at least once, in any order. `trouble` says why they cannot be heard of
    now."""

    trouble: str | None

    async def follow(self, tell: Tell, missed: Callable[[], None]) -> None:
        """Tell of changes until cancelled. `missed` is called when some may not have been heard of for a while; they are
        told then. Never raises for what may pass."""
        ...


class PostgresChanges:
    """Changes that the database at `dsn` tells of on a channel.

    `since` is a query with one parameter, an interval in seconds, that gives key and version of what has changed within it.
    It is asked on start for the last `lasting` seconds, in which a cache may still have what was superseded; again after the
    connection was lost; and every `sweep` seconds for the last few, so that what Redis has lost with a node is made good.
    """

    def __init__(self, dsn: str, channel: str, since: str, *, lasting: float = 300.0, sweep: float = 5.0) -> None:
        self.trouble: str | None = None
        self._dsn = dsn
        self._channel = channel
        self._since = since
        self._lasting = lasting
        self._sweep = sweep

    async def follow(self, tell: Tell, missed: Callable[[], None]) -> None:
        heard: float | None = None
        while True:
            try:
                async with await listening(self._dsn, self._channel) as connection:
                    missed()
                    back = self._lasting if heard is None else min(self._lasting, time.monotonic() - heard)
                    heard = await self._tell_since(connection, back + LONGEST, tell)
                    self.trouble = None
                    while True:
                        heard = await self._listen(connection, tell)
            except Exception as error:  # that there is no table yet may pass, and whatever those who are told fail with
                if self.trouble is None:
                    _log.warning("changes are not heard of: %s: %s", type(error).__name__, str(error).strip())
                self.trouble = str(error).strip() or type(error).__name__
                missed()
                await asyncio.sleep(0.2)

    async def _listen(self, connection: BoundedConnection, tell: Tell) -> float:
        """Tell of what comes until it is time to look at what has changed of late; when that was."""
        limit = time.monotonic() + self._sweep
        while (left := limit - time.monotonic()) > 0:
            notices = await connection.notices(left)
            told = [change for notice in notices if (change := _change(notice.payload)) is not None]
            if told:
                await tell(told)
        return await self._tell_since(connection, self._sweep + _FAILOVER, tell)

    async def _tell_since(self, connection: BoundedConnection, seconds: float, tell: Tell) -> float:
        now = time.monotonic()
        async with connection.cursor("changes", withhold=True) as cursor:  # in no transaction while others are told
            await cursor.execute(self._since.encode(), (seconds,))
            while rows := await cursor.fetchmany(_AT_ONCE):
                await tell([Change(str(key), int(version)) for key, version in rows])
        return now


def _change(payload: str) -> Change | None:
    key, _, version = payload.rpartition(" ")
    return Change(key, int(version)) if key and version.isdecimal() else None
