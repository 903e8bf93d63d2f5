"""Server-sent events: what was told of a purchase, from the beginning or from where a browser left off, as it comes.

The database says whose purchase has something new, to every replica: it does not matter which of them has heard of
it. Should that word be lost with a connection, each stream looks again at the next heart-beat.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC
from typing import Annotated

import msgspec
import psycopg
from msgspec import Meta, Struct

from shop.chassis.bounded import listening
from shop.chassis.database import Pool
from shop.chassis.failures import Failure
from shop.chassis.logs import logger
from shop.purchase import store
from shop.purchase.store import Told

__all__ = ["StreamSettings", "Streams"]

_PAUSE = 0.5
_BATCH = 100
_log = logger("shop.purchase")


class StreamSettings(Struct, frozen=True, kw_only=True):
    """How many streams there may be, and for how long."""

    most: Annotated[int, Meta(ge=1, description="streams that may be open at a time in this replica")] = 1_000
    seconds: Annotated[float, Meta(gt=0, description="how long a stream stays open; a browser then comes again")] = 600.0
    heart_beat: Annotated[
        float, Meta(gt=0, description="seconds without an event after which a stream shows that it lives")
    ] = 15.0


class Streams:
    """A part, to be added after the HTTP server: it is left first, and then every stream ends, so that the server can."""

    def __init__(self, pool: Pool, settings: StreamSettings) -> None:
        self._pool = pool
        self._settings = settings
        self._waiting: dict[int, set[asyncio.Event]] = {}
        self._open = 0
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Streams:
        self._task = asyncio.create_task(self._listen(), name="streams")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        self._wake_all()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        return () if self._task is None else (self._task,)

    @property
    def open(self) -> int:
        """How many streams are open here."""
        return self._open

    def admit(self) -> None:
        """Raises Failure 503 where there are as many streams as there may be."""
        if self._closing or self._open >= self._settings.most:
            raise Failure(503, "too many streams are open here; try again", headers={"Retry-After": "2"})

    async def events(self, id: int, after: int) -> AsyncIterator[bytes]:
        """What was told of a purchase after one number, as server-sent events, until its result, or until it is time to come
        again. Ends without a word where the database is away: whoever reads comes again with the last number."""
        loop = asyncio.get_running_loop()
        limit = loop.time() + self._settings.seconds
        with self._watching(id) as told:
            yield b"retry: 1000\n\n"
            while not self._closing and loop.time() < limit:
                told.clear()
                try:
                    async with self._pool.connection() as connection:
                        found = await store.told_after(connection, id, after, _BATCH)
                except (Failure, psycopg.Error):
                    return
                for each in found:
                    yield _event(each)
                    after = each.number
                    if each.type == "result":
                        return
                if len(found) < _BATCH and not await _within(told, min(self._settings.heart_beat, limit - loop.time())):
                    yield b": heart-beat\n\n"

    @contextlib.contextmanager
    def _watching(self, id: int) -> Iterator[asyncio.Event]:
        told = asyncio.Event()
        self._waiting.setdefault(id, set()).add(told)
        self._open += 1
        try:
            yield told
        finally:
            self._open -= 1
            self._waiting[id].discard(told)
            if not self._waiting[id]:
                del self._waiting[id]

    async def _listen(self) -> None:
        while True:
            try:
                async with await listening(self._pool.url, store.CHANNEL) as connection:
                    self._wake_all()
                    while True:
                        for notice in await connection.notices(self._settings.heart_beat):
                            for told in self._waiting.get(int(notice.payload), ()):
                                told.set()
            except psycopg.OperationalError as error:
                _log.warning("streams wait for the database", reason=str(error).strip())
            await asyncio.sleep(_PAUSE)

    def _wake_all(self) -> None:
        for waiting in self._waiting.values():
            for told in waiting:
                told.set()


async def _within(told: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await told.wait()
    except TimeoutError:
        return False
    return True


def _event(told: Told) -> bytes:
    """As it was told, but for its time, which everywhere else over HTTP is RFC 3339."""
    data = {**msgspec.json.decode(told.data), "time": told.at.astimezone(UTC)}
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (told.number, told.type.encode(), msgspec.json.encode(data))
