"""Looks, again and again, what has come without a message: timers, operators' orders, resources that have become free."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sagacity.errors import StoreError
from sagacity.saga.desk import Desk
from sagacity.saga.happenings import Due, Released
from sagacity.saga.postgres import orders, store
from sagacity.saga.postgres.connection import Connection, Lasting
from sagacity.saga.postgres.store import StaleError
from sagacity.saga.settling import Batch, Settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Lookout"]

_AT_MOST = 500
_ENDS_EVERY = 4
"""Sagas whose end is waited for here may be ended by another replica: that is looked at every so many ticks."""


class Lookout:
    """Over a connection of its own, every `tick` seconds, and at once when it is told to (`look`), or has found much."""

    def __init__(self, desk: Desk, dsn: str, tick: float, settled: Callable[[Settled], None]) -> None:
        self._desk = desk
        self._lasting = Lasting(dsn)
        self._tick = tick
        self._settled = settled
        self._wake = asyncio.Event()

    def look(self) -> None:
        """Look now."""
        self._wake.set()

    async def run(self) -> None:
        turn = 0
        looks: tuple[Callable[[], Awaitable[int]], ...] = (self._timers, self._orders, self._resources)
        try:
            while True:
                self._wake.clear()
                try:
                    found = [await look() for look in looks]
                    self._desk.trouble = None  # the database answers, also where there is nothing to settle that would tell
                except StoreError as error:
                    await self._desk.complain(error)
                    continue
                except StaleError:
                    continue
                turn += 1
                if turn % _ENDS_EVERY == 0:
                    await self._ends()
                if max(found) < _AT_MOST:
                    await self._pause()
        finally:
            await self._lasting.close()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._tick):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _timers(self) -> int:
        async with self._batch() as (batch, connection):
            due = batch.hold(await store.due(connection, self._desk.clock(), _AT_MOST))
            for id in due:
                batch.happen(id, Due())
        return len(due)

    async def _orders(self) -> int:
        async with self._batch() as (batch, connection):
            waiting = await orders.waiting(connection, _AT_MOST)
            await batch.fetch(id for _, id, _ in waiting)
            for number, id, order in waiting:
                batch.ordered(number, id, order)
        return len(waiting)

    async def _resources(self) -> int:
        if not any(each.resources for each in self._desk.definitions.values()):
            return 0
        async with self._batch() as (batch, connection):
            free = await store.released(connection, _AT_MOST)
            await batch.fetch(free)
            for id in free:
                batch.happen(id, Released())
        return len(free)

    async def _ends(self) -> None:
        awaited = self._desk.awaited()
        if awaited:
            async with self._lasting.borrowed() as connection:
                for kept in (await store.ended(connection, awaited)).values():
                    if kept.saga is not None:
                        self._desk.ended(kept.saga)

    @asynccontextmanager
    async def _batch(self) -> AsyncIterator[tuple[Batch, Connection]]:
        async with self._lasting.transaction() as connection:
            batch = Batch(self._desk, connection, careful=True)
            yield batch, connection
            await batch.write()
        self._settled(batch.committed())
