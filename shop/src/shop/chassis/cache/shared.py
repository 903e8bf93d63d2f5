"""The layer that all replicas share: values in Redis, each with its version, so that no older one ever replaces a newer."""

from __future__ import annotations

import random
from collections.abc import Callable

from redis.asyncio.lock import Lock

from shop.chassis.cache.cluster import Away, Cluster
from shop.chassis.cache.meter import Meter
from shop.chassis.cache.source import Change, Kept, Source

__all__ = ["Shared", "Store"]

_VALUE, _ABSENT, _SUPERSEDED = b"+", b"-", b"!"

_PUT = """
local stored = redis.call('GET', KEYS[1])
if stored and tonumber(string.match(stored, '^%d+')) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""
_SUPERSEDE = """
local stored = redis.call('GET', KEYS[1])
if stored and tonumber(string.match(stored, '^%d+')) >= tonumber(ARGV[1]) then return 0 end
local kept = redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if type(kept) == 'table' and kept['err'] then redis.call('DEL', KEYS[1]) end
return 1
"""


class Store:
    """The values of one cache in Redis, under `<name>:{<key>}`. Written as the version in decimal, a mark and the value; the
    mark says whether there is a value, certainly nothing, or what was there is superseded and its successor not yet known.

    `lasting` is in seconds, for a value; less up to a fifth by chance, so that what was filled together does not end
    together. That there is nothing lasts `absent` seconds. That something was superseded is remembered for `remembered`
    seconds: longer than anybody may take to fill in what was read before.
    """

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        meter: Meter,
        *,
        lasting: float = 300.0,
        absent: float = 30.0,
        remembered: float = 360.0,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._cluster = cluster
        self._name = name
        self._meter = meter
        self._lasting = lasting
        self._absent = absent
        self._remembered = remembered
        self._draw = draw

    async def get(self, key: str) -> Kept | None:
        """What is kept; None where nothing is, or it is superseded. Raises Away."""
        where = self._where(key)
        stored: bytes | None = await self._cluster.command(where, "GET", where)
        return None if stored is None else _read(stored)

    async def put(self, key: str, kept: Kept) -> bool:
        """Keep this, unless something newer is known; whether it is kept. Raises Away."""
        seconds = (self._absent if kept.value is None else self._lasting) * (1 - self._draw() / 5)
        mark = _ABSENT if kept.value is None else _VALUE
        text = b"%d%b%b" % (kept.version, mark, kept.value or b"")
        put = await self._cluster.script(self._where(key), _PUT, kept.version, text, int(seconds * 1000))
        if not put:
            self._meter.event("refused")
        return bool(put)

    async def supersede(self, change: Change) -> None:
        """Whatever is older than this is no longer answered, and no longer taken in. Raises Away."""
        text = b"%d%b" % (change.version, _SUPERSEDED)
        milliseconds = int(self._remembered * 1000)
        await self._cluster.script(self._where(change.key), _SUPERSEDE, change.version, text, milliseconds)

    async def take(self, key: str, lasting: float) -> Lock | None:
        """The lock of a key, if nobody has it; it ends by itself after `lasting` seconds. Raises Away."""
        where = f"{self._where(key)}:lock"
        lock: Lock | None = None

        async def ask(client: object) -> bool:
            nonlocal lock
            lock = Lock(client, where, timeout=lasting, thread_local=False)  # type: ignore[arg-type]
            return bool(await lock.acquire(blocking=False))

        return lock if await self._cluster.call(where, ask) else None

    async def give_back(self, key: str, lock: Lock) -> None:
        """Give a lock back. Raises LockError where it has ended before, and Away."""
        await self._cluster.call(f"{self._where(key)}:lock", lambda _: lock.release())

    def _where(self, key: str) -> str:
        return f"{self._name}:{{{key}}}"


class Shared:
    """Answers from the store what is known there. What is not, whoever is behind reads and fills in."""

    def __init__(self, behind: Source, store: Store, meter: Meter) -> None:
        self._behind = behind
        self._store = store
        self._meter = meter

    async def read(self, key: str, at_least: int = 0) -> Kept:
        try:
            kept = await self._store.get(key)
        except Away:
            self._meter.read("shared", "skipped")
            return await self._behind.read(key, at_least)
        if kept is not None and kept.version >= at_least:
            self._meter.read("shared", "hit" if kept.value is not None else "absent")
            return kept
        self._meter.read("shared", "miss")
        return await self._behind.read(key, at_least)


def _read(stored: bytes) -> Kept | None:
    digits = 0
    while stored[digits : digits + 1].isdigit():
        digits += 1
    version, mark, value = int(stored[:digits]), stored[digits : digits + 1], stored[digits + 1 :]
    if mark == _SUPERSEDED:
        return None
    return Kept(version, value if mark == _VALUE else None)
