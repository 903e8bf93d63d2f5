"""The layer before the database: of all who miss the same, in all replicas, one asks it, and the others take what that fills
in."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

from redis.asyncio.lock import Lock
from redis.exceptions import LockError

from shop.chassis.cache.cluster import Away
from shop.chassis.cache.meter import Meter
from shop.chassis.cache.shared import Store
from shop.chassis.cache.source import Kept, Source

__all__ = ["Locked"]


class Locked:
    """Who has the lock looks once more, asks what is behind, and fills in. The lock ends by itself after `lasting` seconds,
    so that a crash holds nobody up: what its holder fills in after that is measured by its version, which fences it off
    where somebody has been faster. Nobody waits longer than `patience` seconds; then, and without a shared cache, the
    database is asked without a lock."""

    def __init__(
        self, behind: Source, store: Store, meter: Meter, *, lasting: float = 5.0, patience: float = 2.0, look: float = 0.02
    ) -> None:
        self._behind = behind
        self._store = store
        self._meter = meter
        self._lasting = lasting
        self._patience = patience
        self._look = look

    async def read(self, key: str, at_least: int = 0) -> Kept:
        limit = time.monotonic() + self._patience
        try:
            while (lock := await self._store.take(key, self._lasting)) is None:
                await asyncio.sleep(self._look * random.uniform(0.5, 1.5))
                kept = await self._store.get(key)
                if kept is not None and kept.version >= at_least:
                    self._meter.read("lock", "hit")
                    return kept
                if time.monotonic() >= limit:
                    self._meter.event("lock not had in time")
                    return await self._fill(key, at_least)
        except Away:
            self._meter.read("lock", "skipped")
            return await self._behind.read(key, at_least)
        try:
            with contextlib.suppress(Away):
                kept = await self._store.get(key)
                if kept is not None and kept.version >= at_least:
                    self._meter.read("lock", "hit")
                    return kept
            self._meter.read("lock", "miss")
            return await self._fill(key, at_least)
        finally:
            await self._give_back(key, lock)

    async def _fill(self, key: str, at_least: int) -> Kept:
        kept = await self._behind.read(key, at_least)
        with contextlib.suppress(Away):
            await self._store.put(key, kept)
        return kept

    async def _give_back(self, key: str, lock: Lock) -> None:
        try:
            await self._store.give_back(key, lock)
        except LockError:
            self._meter.event("lock outlived")
        except Away:
            pass
