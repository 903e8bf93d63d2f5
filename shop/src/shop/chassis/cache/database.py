"""What lies behind all layers: the database, asked by so many at once and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from shop.chassis.cache.meter import Meter
from shop.chassis.cache.source import Kept

__all__ = ["Database"]


class Database:
    """Reads by `load`, which gives what stands under a key with its version, or None where nothing does. At most `at_once`
    questions are under way, so that a cache that has lost everything does not take the database down. Raises what `load`
    raises."""

    def __init__(self, load: Callable[[str], Awaitable[Kept | None]], meter: Meter, *, at_once: int = 8) -> None:
        self._load = load
        self._meter = meter
        self._turns = asyncio.Semaphore(at_once)

    async def read(self, key: str, at_least: int = 0) -> Kept:
        async with self._turns:
            try:
                kept = await self._load(key)
            except BaseException:
                self._meter.read("database", "failed")
                raise
        self._meter.read("database", "absent" if kept is None else "hit")
        return Kept(at_least) if kept is None else kept
