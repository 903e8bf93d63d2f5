"""Looks, again and again, what has come without a message: timers, operators' orders, resources that have become free."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING

from sagacity.errors import StoreError
from sagacity.saga.desk import Desk
from sagacity.saga.happenings import Due, Ordered, Released
from sagacity.saga.metrics import measure_open
from sagacity.saga.postgres import gauges, orders, store
from sagacity.saga.postgres.connection import Connection, Lasting
from sagacity.saga.postgres.store import StaleError
from sagacity.saga.settling import Batch, Settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Lookout"]

_AT_MOST = 500
_SAY_EVERY = 2.0
_MEASURE_EVERY = 5.0
_SCAN_EVERY = 5.0
"""Seconds."""
_ENDS_EVERY = 4
"""Sagas whose end is waited for here may be ended by another replica: that is looked at every so many ticks."""


class Lookout:
    """Over a connection of its own, every `tick` seconds, and at once when it is told to (`look`), or has found much.

    `begun`: whether this process has read what had come before it started; until then it leaves timers to others. `behind`:
    whether it does not keep up with its reading, so that all replicas had better wait for what it will find.
    """

    def __init__(self, desk: Desk, dsn: str, tick: float, settled: Callable[[Settled], None]) -> None:
        self._desk = desk
        self._lasting = Lasting(dsn)
        self._tick = tick
        self._settled = settled
        self._wake = asyncio.Event()
        self._freed: set[str] = set()
        self.begun = True
        self.behind = False
        self._said = 0.0
        self._name = token_hex(8)
        self._scanned = -_SCAN_EVERY

    def look(self, freed: Iterable[str]) -> None:
        """Look now: somebody may wait for these resources, which have become free."""
        self._freed.update(freed)
        self._wake.set()

    async def run(self) -> None:
        turn, measured = 0, -_MEASURE_EVERY
        looks: tuple[Callable[[], Awaitable[int]], ...] = (self._timers, self._orders, self._resources)
        try:
            while True:
                self._wake.clear()
                try:
                    await self._say_behind()
                    found = [await look() for look in looks]
                    self._desk.trouble = None  # the database answers, also where there is nothing to settle that would tell
                    if monotonic() - measured > _MEASURE_EVERY:
                        measured = monotonic()
                        await self._measure()
                    turn += 1
                    if turn % _ENDS_EVERY == 0:
                        await self._ends()
                except StoreError as error:
                    await self._desk.complain(error)
                    continue
                except StaleError:
                    continue
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
        if not self.begun:
            return 0
        async with self._batch() as (batch, connection):
            due = await batch.hold(await store.due(connection, self._desk.clock(), _AT_MOST))
            for id in due:
                batch.happen(id, Due())
        return len(due)

    async def _orders(self) -> int:
        async with self._batch() as (batch, connection):
            waiting = await orders.waiting(connection, _AT_MOST)
            await batch.fetch(id for _, id, _ in waiting)
            for number, id, order in waiting:
                if isinstance(order, Ordered):
                    batch.ordered(number, id, order)
                else:
                    batch.redriven(number, id, order.step)
        return len(waiting)

    async def _resources(self) -> int:
        """Who waits for what has become free here goes on; now and then it is looked who waits for nothing, since whoever
        freed it may have died before it looked."""
        if not any(each.resources for each in self._desk.definitions.values()):
            return 0
        freed, scan = self._freed, monotonic() - self._scanned > _SCAN_EVERY
        if not freed and not scan:
            return 0
        self._freed = set()
        try:
            async with self._batch() as (batch, connection):
                free = await store.released(connection, _AT_MOST, None if scan else freed)
                await batch.fetch(free)
                for id in free:
                    batch.happen(id, Released())
        except BaseException:
            self._freed |= freed
            raise
        if len(free) == _AT_MOST:
            self._freed |= freed
        elif scan:
            self._scanned = monotonic()
        return len(free)

    async def _say_behind(self) -> None:
        """While this process is behind with its reading, and just after, no replica takes silence for what it seems."""
        behind = self.behind
        if behind != (self._said > 0) or (behind and monotonic() - self._said > _SAY_EVERY):
            async with self._lasting.borrowed() as connection:
                await store.behind(connection, self._name, 3 * _SAY_EVERY if behind else 0.0)
            self._said = monotonic() if behind else 0.0

    async def _measure(self) -> None:
        async with self._lasting.borrowed() as connection:
            counts, parked = await gauges.still_open(connection), await gauges.oldest_parked(connection)
        known = {name for name, _ in self._desk.definitions}
        measure_open(self._desk.meter, counts, parked, known, self._desk.clock())

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
