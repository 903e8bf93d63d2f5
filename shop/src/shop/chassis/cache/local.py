"""The layer within the process: what was read of late, and one question to the others for all who ask the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

from cachetools import TLRUCache, TTLCache

from shop.chassis.cache.meter import Meter
from shop.chassis.cache.source import Change, Kept, Source

__all__ = ["Local"]

_Flight: TypeAlias = "tuple[int, asyncio.Task[Kept]]"


class Local:
    """Keeps up to `most` answers: for `lasting` seconds, and that there is nothing for `absent` seconds.

    What it was told to be superseded is never answered again, nor taken from a layer behind that has not heard of it yet:
    for `remembered` seconds the lowest version that may stand is kept for each key that has changed.
    """

    def __init__(
        self,
        behind: Source,
        meter: Meter,
        *,
        most: int = 10_000,
        lasting: float = 10.0,
        absent: float = 1.0,
        remembered: float = 360.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._behind = behind
        self._meter = meter
        self._kept: TLRUCache[str, Kept] = TLRUCache(
            most, lambda _, kept, now: now + (absent if kept.value is None else lasting), timer=clock
        )
        self._floors: TTLCache[str, int] = TTLCache(most * 10, remembered, timer=clock)
        self._flights: dict[str, _Flight] = {}

    async def read(self, key: str, at_least: int = 0) -> Kept:
        at_least = max(at_least, self._floors.get(key, 0))
        kept = self._kept.get(key)
        if kept is not None and kept.version >= at_least:
            self._meter.read("local", "hit")
            return kept
        flight = self._flights.get(key)
        if flight is not None and flight[0] >= at_least:
            self._meter.read("local", "joined")
            return await asyncio.shield(flight[1])
        self._meter.read("local", "miss")
        task = asyncio.create_task(self._fetch(key, at_least))
        self._flights[key] = (at_least, task)
        task.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(task)

    def supersede(self, changes: Iterable[Change]) -> list[Change]:
        """These have changed; those of them that were news."""
        news = [change for change in changes if change.version > self._floors.get(change.key, 0)]
        for key, version in ((change.key, change.version) for change in news):
            self._floors[key] = version
            kept = self._kept.get(key)
            if kept is not None and kept.version < version:
                del self._kept[key]
            self._flights.pop(key, None)
        return news

    def clear(self) -> None:
        """Forget every answer: something may have been missed."""
        self._kept.clear()
        self._flights.clear()

    async def _fetch(self, key: str, at_least: int) -> Kept:
        kept = await self._behind.read(key, at_least)
        flight = self._flights.get(key)
        if flight is not None and flight[1] is asyncio.current_task() and kept.version >= self._floors.get(key, 0):
            self._kept[key] = kept
        return kept

    def _landed(self, key: str, task: asyncio.Task[Kept]) -> None:
        flight = self._flights.get(key)
        if flight is not None and flight[1] is task:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # who asked has been told, if they still wait
