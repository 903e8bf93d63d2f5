"""What stories about services with a PostgreSQL need: connections, tables, and a publisher that can be made to fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection

from sagacity.errors import PublishError
from sagacity.messaging.envelope import Message
from sagacity.messaging.postgres import install

__all__ = ["Publishing", "connected", "eventually", "installed"]

LIMIT = 60.0


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection that commits each statement unless it is in a transaction."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        yield connection


@asynccontextmanager
async def installed(dsn: str) -> AsyncIterator[AsyncConnection[Any]]:
    """The same, with the messaging tables."""
    async with connected(dsn) as connection:
        await install(connection)
        yield connection


class Publishing:
    """A publisher that keeps what it is given, and fails when it is told to: before it keeps the n-th message, or after."""

    def __init__(self) -> None:
        self.kept: list[Message] = []
        self.fail_after: int | None = None
        self.refuse: set[str] = set()
        self.closed: set[str] = set()
        self.pause: Callable[[], Awaitable[None]] | None = None

    async def publish(self, messages: Sequence[Message]) -> None:
        if self.pause is not None:
            await self.pause()
        closed = {message.topic for message in messages} & self.closed
        if closed:
            raise PublishError("no such topic", messages, topics=closed)
        refused = [message for message in messages if message.envelope.id in self.refuse]
        if refused:
            raise PublishError("some are too large", messages, refused=refused)
        if self.fail_after is not None:
            self.kept += messages[: self.fail_after]
            uncertain, self.fail_after = messages[self.fail_after :], None
            raise PublishError("the broker went away", uncertain)
        self.kept += messages

    async def close(self) -> None:
        """There is nothing to let go of."""

    @property
    def ids(self) -> list[str]:
        return [message.envelope.id for message in self.kept]


async def eventually(holds: Callable[[], bool]) -> None:
    """Give others their turn until it holds."""
    async with asyncio.timeout(LIMIT):
        while not holds():
            await asyncio.sleep(0.005)
