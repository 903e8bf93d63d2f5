"""A cache, put together of its layers: within the process, filter, Redis, lock, database."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec
from prometheus_client import CollectorRegistry

from shop.chassis.cache.changes import LONGEST, Changes
from shop.chassis.cache.cluster import Away, Cluster
from shop.chassis.cache.database import Database
from shop.chassis.cache.filter import CuckooFilter, Filtered
from shop.chassis.cache.keeper import Keeper, Known
from shop.chassis.cache.local import Local
from shop.chassis.cache.locked import Locked
from shop.chassis.cache.meter import Meter
from shop.chassis.cache.shared import Shared, Store
from shop.chassis.cache.source import Change, Kept

__all__ = ["Cache", "Times"]

_log = logging.getLogger("shop.cache")
_AT_ONCE = 40


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How long things last, in seconds. `local` and `shared`: a value, within the process and in Redis; `absent_local` and
    `absent_shared`: that there is nothing. `ask`: one call of Redis at most. `lock`: one that nobody gives back; `patience`:
    how long it is waited for. `look`: between two looks at the filter; `filter`: how long one is good for."""

    local: float = 10.0
    shared: float = 300.0
    absent_local: float = 1.0
    absent_shared: float = 30.0
    ask: float = 0.25
    lock: float = 5.0
    patience: float = 2.0
    look: float = 5.0
    filter: float = 3600.0

    @property
    def remembered(self) -> float:
        """How long it is remembered that something was superseded: Redis, if it could not be told, may have it for as long
        as values last, filled in by whoever was held up for as long as a transaction may take."""
        return self.shared + LONGEST


class Cache:
    """What a service reads often. `name` tells its keys in Redis from those of others.

    `load` reads one from the database, with its version; `known` gives the keys that there are; `changes` tells of what has
    changed. Nothing is connected before `run` or the first read. Reads never fail for want of Redis: they are slower.
    """

    def __init__(
        self,
        name: str,
        nodes: Sequence[str],
        load: Callable[[str], Awaitable[Kept | None]],
        known: Known,
        changes: Changes,
        registry: CollectorRegistry,
        *,
        password: str | None = None,
        most: int = 10_000,
        database_at_once: int = 8,
        times: Times | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        times = times or Times()
        self.meter = Meter(name, registry)
        self.cluster = Cluster(nodes, self.meter, password=password, timeout=times.ask)
        self._changes = changes
        self._store = Store(
            self.cluster,
            name,
            self.meter,
            lasting=times.shared,
            absent=times.absent_shared,
            remembered=times.remembered,
        )
        self.filter = CuckooFilter(self.cluster, name)
        self.keeper = Keeper(
            self.filter, self.cluster, name, known, self.meter, look=times.look, lasting=times.filter, after=self._add_fresh
        )
        database = Database(load, self.meter, at_once=database_at_once)
        locked = Locked(database, self._store, self.meter, lasting=times.lock, patience=times.patience)
        filtered = Filtered(Shared(locked, self._store, self.meter), self.filter, self.meter, self.keeper.lost)
        self.local = Local(
            filtered,
            self.meter,
            most=most,
            lasting=times.local,
            absent=times.absent_local,
            remembered=times.remembered,
            clock=clock,
        )
        self._fresh: dict[str, None] = {}
        self._name = name
        self._look = times.look
        self._running: asyncio.Task[None] | None = None

    async def read(self, key: str, at_least: int = 0) -> Kept:
        """What stands under this key, of this version or a newer one. Raises what `load` raises."""
        return await self.local.read(key, at_least)

    async def expect(self, key: str) -> None:
        """A key will be there in a moment. To be called before what makes it is committed: whoever then asks for it finds
        that it may be there. Does not fail, and takes no longer than one call of Redis."""
        self._note((key,))
        await self.keeper.add((key,))

    async def supersede(self, changes: Sequence[Change]) -> None:
        """These have changed. From now on this process answers with nothing older; Redis is told as well."""
        newest: dict[str, Change] = {}
        for change in changes:
            if change.key not in newest or newest[change.key].version < change.version:
                newest[change.key] = change
        changes = list(newest.values())
        news = self.local.supersede(changes)
        self.meter.event("superseded", len(news))
        for at in range(0, len(changes), _AT_ONCE):
            await asyncio.gather(*map(self._tell, changes[at : at + _AT_ONCE]))
        keys = [change.key for change in changes]
        self._note(keys)
        await self.keeper.add(keys)

    async def run(self) -> None:
        """Hear of changes, and look after the filter and the nodes, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._changes.follow(self.supersede, self.local.clear), name="changes")
            tasks.create_task(self.keeper.run(), name="filter")
            tasks.create_task(self.cluster.watch(self._look), name="nodes")

    async def __aenter__(self) -> Cache:
        """As a part of a service: runs for as long as that does."""
        self._running = asyncio.create_task(self.run(), name=self._name)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait((self._running,))
        await self.close()

    def tasks(self) -> Iterable[asyncio.Task[None]]:
        return () if self._running is None else (self._running,)

    async def check(self) -> str | None:
        """For readiness: without Redis everything works, and is slower."""
        if not self.cluster.reachable:
            return "a node of Redis does not answer: what it holds is read from the database"
        return self._changes.trouble

    async def close(self) -> None:
        await self.cluster.close()

    async def _tell(self, change: Change) -> None:
        try:
            await self._store.supersede(change)
        except Away:
            self.meter.event("not told")

    def _note(self, keys: Sequence[str]) -> None:
        """Remember the last keys that were added, for a filter that is being built meanwhile."""
        self._fresh.update(dict.fromkeys(keys))
        while len(self._fresh) > 10_000:
            del self._fresh[next(iter(self._fresh))]

    async def _add_fresh(self) -> None:
        await self.filter.add(list(self._fresh))
