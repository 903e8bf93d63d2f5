"""What stories about caches need: a database that counts its queries, changes that are told by hand, and replicas."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import CollectorRegistry

from shop.chassis.cache import Cache, Change, Kept, Times

__all__ = ["PATIENT", "Hearing", "Table", "eventually", "replicas", "told", "unique"]

PATIENT = Times(ask=5.0, patience=30.0, look=0.05)
"""Times for a machine that is busy with other things."""

_LIMIT = 180.0
_number = itertools.count(1)


def unique(name: str) -> str:
    """A name of a cache that no other test has."""
    return f"{name}-{next(_number)}"


class Table:
    """A database's table: values with versions, by key."""

    def __init__(self, **rows: bytes) -> None:
        self.rows = {key: Kept(1, value) for key, value in rows.items()}
        self.queries = 0
        self.hold: asyncio.Event | None = None
        self.began = asyncio.Event()

    async def load(self, key: str) -> Kept | None:
        self.queries += 1
        row = self.rows.get(key)
        self.began.set()
        if self.hold is not None:
            await self.hold.wait()
        return row

    def change(self, key: str, value: bytes) -> Change:
        before = self.rows.get(key, Kept(0))
        self.rows[key] = Kept(before.version + 1, value)
        return Change(key, before.version + 1)

    async def all(self) -> AsyncIterator[Sequence[str]]:
        keys = list(self.rows)
        for at in range(0, len(keys), 1000):
            yield keys[at : at + 1000]

    async def count(self) -> int:
        return len(self.rows)


class Hearing:
    """Changes that a test tells of."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self._tell: list[Callable[[Sequence[Change]], Awaitable[None]]] = []

    async def follow(self, tell: Callable[[Sequence[Change]], Awaitable[None]], missed: Callable[[], None]) -> None:
        missed()
        self._tell.append(tell)
        await asyncio.Event().wait()

    async def told(self, *changes: Change) -> None:
        """Every replica has heard of these."""
        for tell in self._tell:
            await tell(changes)


@asynccontextmanager
async def replicas(
    nodes: str,
    table: Table,
    many: int = 1,
    *,
    name: str | None = None,
    running: bool = True,
    times: Times = PATIENT,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[tuple[list[Cache], Hearing]]:
    """So many caches over one table, as so many processes would have them; with their filter built."""
    hearing, name = Hearing(), name or unique("test")
    caches = [
        Cache(name, nodes.split(","), table.load, table, hearing, CollectorRegistry(), times=times, clock=clock)
        for _ in range(many)
    ]
    tasks = []
    try:
        if running:
            await caches[0].keeper.once()
            tasks = [asyncio.create_task(cache.run()) for cache in caches]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        yield caches, hearing
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for cache in caches:
            await cache.close()


def told(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a story, bounded in time."""
    asyncio.run(asyncio.wait_for(story(), _LIMIT))


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Give others their turn until it holds."""
    async with asyncio.timeout(_LIMIT):
        while not await holds():
            await asyncio.sleep(0.01)
