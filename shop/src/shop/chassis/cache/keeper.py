"""Keeps a filter whole: builds it from the database where it is lost, full or old, and puts back what it has lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

from redis.asyncio.lock import Lock
from redis.exceptions import LockError, ResponseError

from shop.chassis.cache.cluster import Away, Cluster
from shop.chassis.cache.filter import CuckooFilter
from shop.chassis.cache.meter import Meter

__all__ = ["Keeper", "Known"]

_log = logging.getLogger("shop.cache")
_LEAST_ROOM = 1 << 14


class Known(Protocol):
    """The keys that the database has."""

    def all(self) -> AsyncIterator[Sequence[str]]:
        """All of them, some at a time."""
        ...

    async def count(self) -> int:
        """About how many they are."""
        ...


class Keeper:
    """One in each replica; of them one builds at a time. `look` is in seconds, between two looks at the filter; `lasting`,
    how long one that was built is good for.

    A filter is built with room for four times the keys that there are, and anew once it is half full: beyond that too many
    absent keys would pass it.
    """

    def __init__(
        self,
        filter: CuckooFilter,
        cluster: Cluster,
        name: str,
        known: Known,
        meter: Meter,
        *,
        look: float = 5.0,
        lasting: float = 3600.0,
        after: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._filter = filter
        self._cluster = cluster
        self._good = f"{{{name}:filter}}:good"
        self._building = f"{{{name}:filter}}:building"
        self._known = known
        self._meter = meter
        self._look = look
        self._lasting = lasting
        self._after = after
        self._outages = 0
        self._seen: bytes | None = None
        self._doubted = asyncio.Event()
        self._lost: set[str] = set()
        self._trouble: str | None = None

    async def add(self, keys: Sequence[str]) -> None:
        """These are there, or will be in a moment. Where that cannot be told to the filter, it is built anew later."""
        try:
            await self._filter.add(keys)
        except (Away, ResponseError):
            self._lost.update(keys)
            self.doubt()

    def lost(self, key: str) -> None:
        """The filter has denied a key that is there: it is put back, and then all are."""
        self._lost.add(key)
        self.doubt()

    def doubt(self) -> None:
        """The filter may have lost something: it is to be built anew."""
        self._doubted.set()

    async def run(self) -> None:
        """Look after the filter until cancelled. Never raises for what may pass."""
        while True:
            try:
                await self.once()
            except (Away, LockError) as error:
                _log.debug("the filter is left as it is: %s", error)
            except ResponseError as error:
                self._complain(f"Redis refuses: {error}; if it does not know CF.*, load its module for filters")
            except Exception as error:
                self._complain(f"{type(error).__name__}: {error}")
            else:
                self._trouble = None
            doubted = self._doubted.is_set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look):
                    await (asyncio.sleep(self._look) if doubted else self._doubted.wait())

    async def once(self) -> bool:
        """Build it anew if it has to be; whether it was. Raises Away."""
        outages = self._cluster.outages
        if self._lost:
            lost = sorted(self._lost)
            await self._filter.add(lost)
            self._lost.difference_update(lost)
        fullness = await self._filter.fullness()
        good: bytes | None = await self._cluster.command(self._good, "GET", self._good)
        if good is not None and good != self._seen:  # somebody has built it since, and is trusted with what went before
            self._seen, self._outages = good, outages
        doubted = self._doubted.is_set() or outages != self._outages
        if fullness is not None and good and not doubted and not fullness.grown and fullness.entries * 2 <= fullness.room:
            return False
        lock = await self._take()
        if lock is None:
            return False
        try:
            self._doubted.clear()
            self._seen = await self._build(0 if fullness is None else fullness.entries)
            self._outages = outages
        except BaseException:
            self._doubted.set()
            raise
        finally:
            with contextlib.suppress(Away, LockError):
                await self._cluster.call(self._building, lambda _: lock.release())
        return True

    def _complain(self, trouble: str) -> None:
        if trouble != self._trouble:
            _log.warning("there is no filter now, and absent keys reach the database: %s", trouble)
        self._trouble = trouble

    async def _build(self, had: int) -> bytes:
        many = max(await self._known.count(), had)  # an estimate may lag far behind what the old one has
        many = await self._filter.build(self._known.all(), max(_LEAST_ROOM, many * 4))
        if self._after is not None:
            await self._after()  # what was added to the old one while the new one was built
        good = secrets.token_bytes(8)
        await self._cluster.command(self._good, "SET", self._good, good, "PX", int(self._lasting * 1000))
        self._meter.event("rebuilt")
        _log.info("the filter is built anew, of %d keys", many)
        return good

    async def _take(self) -> Lock | None:
        lock: Lock | None = None

        async def ask(client: object) -> bool:
            nonlocal lock
            lock = Lock(client, self._building, timeout=120, thread_local=False)  # type: ignore[arg-type]
            return bool(await lock.acquire(blocking=False))

        return lock if await self._cluster.call(self._building, ask) else None
