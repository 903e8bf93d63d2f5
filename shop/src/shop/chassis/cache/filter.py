"""The cuckoo filter: the keys that there are, so that who asks for one that there is not costs nothing behind it.

It answers that a key is certainly absent, or that it may be there (wrongly so for about one absent key in 250). It may be
lost, with its node or in part, and no answer may rest on that: see `Filtered`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
from redis.exceptions import ResponseError

from shop.chassis.cache.cluster import Away, Cluster
from shop.chassis.cache.meter import Meter
from shop.chassis.cache.source import Kept, Source

__all__ = ["CuckooFilter", "Filtered", "Fullness"]

_WHOLE = "whole"
"""An entry that every whole filter has and that is no key: where it is not found the filter is lost, and knows nothing."""
_AT_ONCE = 500


class Fullness(msgspec.Struct, frozen=True):
    """How many entries a filter has, and for how many it has room at its best; `grown` if it had to be extended."""

    entries: int
    room: int
    grown: bool


class CuckooFilter:
    """A filter in Redis, under `{<name>:filter}`. Those who ask at the same time are asked for together."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._at = f"{{{name}:filter}}"
        self._asked: dict[str, asyncio.Future[bool | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def holds(self, key: str) -> bool | None:
        """Whether this key may be there; None where there is no filter. Raises Away."""
        future = self._asked.get(key)
        if future is None:
            future = self._asked[key] = asyncio.get_running_loop().create_future()
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(future)

    async def add(self, keys: Sequence[str]) -> None:
        """These are there. Where there is no filter, nothing is done: it will be built with them. Raises Away."""
        for at in range(0, len(keys), _AT_ONCE):
            try:
                await self._cluster.command(
                    self._at, "CF.INSERTNX", self._at, "NOCREATE", "ITEMS", *keys[at : at + _AT_ONCE]
                )
            except ResponseError as error:
                if "not found" not in str(error).lower():
                    raise

    async def fullness(self) -> Fullness | None:
        """How full it is; None where there is none. Raises Away."""
        try:
            told = await self._cluster.command(self._at, "CF.INFO", self._at)
        except ResponseError:
            return None
        said = dict(zip(told[::2], told[1::2], strict=True)) if isinstance(told, list) else dict(told)
        said = {(name.decode() if isinstance(name, bytes) else name): value for name, value in said.items()}
        filters = int(said["Number of filters"])
        return Fullness(int(said["Number of items inserted"]), int(said["Number of buckets"]), filters > 1)

    async def build(self, keys: AsyncIterator[Sequence[str]], room: int) -> int:
        """Make it anew of these keys, beside the old one, which it then replaces; how many they were. Raises Away.

        What was added to the old one meanwhile is not in the new one: add it again.
        """
        beside, many = f"{self._at}:{random.randbytes(6).hex()}", 0
        # One entry a bucket: the fewest false answers. It is never to be more than half full.
        await self._cluster.command(beside, "CF.RESERVE", beside, room, "BUCKETSIZE", 1)
        await self._cluster.command(beside, "PEXPIRE", beside, 600_000)  # if nobody lives to finish it
        async for some in keys:
            for at in range(0, len(some), _AT_ONCE):
                await self._cluster.command(beside, "CF.INSERT", beside, "NOCREATE", "ITEMS", *some[at : at + _AT_ONCE])
            many += len(some)
        await self._cluster.command(beside, "CF.ADD", beside, _WHOLE)
        await self._cluster.command(beside, "PERSIST", beside)
        await self._cluster.command(beside, "RENAME", beside, self._at)
        return many

    async def _ask(self) -> None:
        """Ask for all who wait, and for those who have come meanwhile, until nobody does."""
        await asyncio.sleep(0)
        try:
            while self._asked:
                keys = list(self._asked)[:_AT_ONCE]
                futures = [self._asked.pop(key) for key in keys]
                try:
                    whole, *held = await self._cluster.command(self._at, "CF.MEXISTS", self._at, _WHOLE, *keys)
                except Exception as error:
                    for future in futures:
                        future.set_exception(error)
                        future.exception()  # who does not wait any more need not be told
                else:
                    for future, found in zip(futures, held, strict=True):
                        future.set_result(bool(found) if whole else None)
        finally:
            self._asking = None


class Filtered:
    """Answers that there is nothing where the filter says so, and passes on all else.

    One in `one_in` of the filter's denials is looked up all the same: what is found after all is told to `lost`. So an entry
    that was lost, by whatever means, hides nothing for ever. A key that is known to be there (`at_least`) is not asked for.
    """

    def __init__(
        self,
        behind: Source,
        filter: CuckooFilter,
        meter: Meter,
        lost: Callable[[str], None],
        *,
        one_in: int = 500,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._behind = behind
        self._filter = filter
        self._meter = meter
        self._lost = lost
        self._share = 1 / one_in
        self._draw = draw

    async def read(self, key: str, at_least: int = 0) -> Kept:
        if at_least:
            return await self._behind.read(key, at_least)
        try:
            held = await self._filter.holds(key)
        except (Away, ResponseError):
            held = None
        if held is None:
            self._meter.read("filter", "skipped")
            return await self._behind.read(key)
        if held:
            self._meter.read("filter", "miss")
            return await self._behind.read(key)
        self._meter.read("filter", "absent")
        if self._draw() >= self._share:
            return Kept(0)
        kept = await self._behind.read(key)
        if kept.value is not None:
            self._meter.event("lost")
            self._lost(key)
        return kept
