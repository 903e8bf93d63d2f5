"""Forgetting what is long over, so that tables stay as large as what they are kept for.

service.run_beside("forgetting", Forgetting(pool, settings.keep_for, heard).run)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeAlias

import psycopg

from sagacity.messaging.postgres import inbox
from sagacity.saga.postgres import retention
from shop.chassis.database import Connection, Pool
from shop.chassis.failures import Failure
from shop.chassis.logs import logger

__all__ = ["Forgets", "Forgetting", "answers", "heard", "sagas"]

Forgets: TypeAlias = Callable[[Connection, timedelta, int], Awaitable[int]]
"""Forgets what is older than so long, the oldest first and at most so many, in the connection's transaction; how many."""

_EVERY = 600.0
"""Seconds."""
_AT_ONCE = 1_000


async def answers(connection: Connection, after: timedelta, most: int) -> int:
    """What a participant has answered to sagas' commands."""
    return await retention.forget_answers(connection, _before(after), most)


async def sagas(connection: Connection, after: timedelta, most: int) -> int:
    """Sagas that have ended, with their history."""
    return await retention.forget_sagas(connection, _before(after), most)


async def heard(connection: Connection, after: timedelta, most: int) -> int:
    """That a listener has heard a message."""
    return await inbox.forget(connection, after, most)


class Forgetting:
    """Forgets what is older than `keep_for`, every `every` seconds, a few rows at a time: a transaction is short, however
    much there is. Any number of replicas may do so at once. A database that is away is tried again."""

    def __init__(
        self, pool: Pool, keep_for: timedelta, *kinds: Forgets, at_once: int = _AT_ONCE, every: float = _EVERY
    ) -> None:
        self._pool = pool
        self._keep_for = keep_for
        self._kinds = kinds
        self._at_once = at_once
        self._every = every
        self._log = logger("shop.forgetting")

    async def run(self) -> None:
        """Forget until cancelled. Never raises for what may pass."""
        while True:
            if many := await self.once():
                self._log.info("forgotten", rows=many)
            await asyncio.sleep(self._every)

    async def once(self) -> int:
        """Forget all that is old enough, of each kind whatever becomes of the others; how many rows."""
        return sum([await self._all(forget) for forget in self._kinds])

    async def _all(self, forget: Forgets) -> int:
        total = 0
        try:
            while True:
                async with self._pool.transaction() as connection:
                    many = await forget(connection, self._keep_for, self._at_once)
                if not many:
                    return total
                total += many
        except (Failure, psycopg.Error) as error:
            what, why = getattr(forget, "__name__", repr(forget)), str(error).strip() or type(error).__name__
            self._log.warning("cannot be forgotten now", what=what, reason=why)
            return total


def _before(after: timedelta) -> int:
    return time.time_ns() // 1000 - after // timedelta(microseconds=1)
