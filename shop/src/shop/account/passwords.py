"""Passwords: argon2id, in threads, so many at once and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from shop.account import settings
from shop.chassis.failures import Failure

__all__ = ["Passwords"]

T = TypeVar("T")


class Passwords:
    """A part. What is asked for while too many wait already is refused with 503: memory and time stay bounded. `counted`
    is called for each that is computed."""

    def __init__(self, given: settings.Passwords, *, counted: Callable[[], None] = lambda: None) -> None:
        self._hasher = PasswordHasher(time_cost=given.passes, memory_cost=given.memory, parallelism=1)
        self._threads = ThreadPoolExecutor(given.at_once, "passwords")
        self._most = given.at_once + given.waiting
        self._under_way = 0
        self._nobodys = ""
        self._counted = counted

    async def __aenter__(self) -> Passwords:
        self._nobodys = await self.hash("the password of nobody")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """What is kept of a password."""
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether a password is the one of which this is kept. With None, for an account that is not there, it takes as
        long, and is False."""
        return await self._in_thread(lambda: self._verify(kept or self._nobodys, password)) and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether it was hashed at another cost than it would be now."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (Argon2Error, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._under_way >= self._most:
            raise Failure(503, "too many log in at once; try again", headers={"Retry-After": "2"})
        self._under_way += 1
        self._counted()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._under_way -= 1
