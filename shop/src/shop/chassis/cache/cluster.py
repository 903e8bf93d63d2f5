"""The Redis cluster, asked within bounds: each call has its time, and a node that fails is left alone for a while."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import LockError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from shop.chassis.cache.breaker import Breaker
from shop.chassis.cache.meter import Meter

__all__ = ["Away", "Cluster"]

_log = logging.getLogger("shop.cache")
_T = TypeVar("_T")
_ANSWERS = ("not found", "unknown command")
"""What a node says of a filter that is not there, and one that knows no filters. All else that it may say (it is full, read
only, loading, without its replicas, nobody's to write to) is no answer to what was asked."""
_TELL_EVERY = 60.0
_FIRST = 2.0
"""Seconds that it may take to find out first which nodes there are."""


class Away(Exception):  # noqa: N818 - it says what is the matter
    """The shared cache cannot be asked now: go on without."""


class Cluster:
    """A cluster's client. `nodes` are some of its nodes, as `host:port`. It belongs to one event loop; nothing is connected
    before the first call.

    `timeout` is in seconds, for one call; `at_once` calls are under way at most, others wait their turn. A node whose calls
    fail one after another has a breaker of its own, so that losing one master does not cost what the others hold.
    `outages` counts how often one was found to be away.
    """

    def __init__(
        self, nodes: Sequence[str], meter: Meter, *, password: str | None = None, timeout: float = 0.25, at_once: int = 48
    ) -> None:
        self.outages = 0
        self._tell_again = -math.inf
        self._meter = meter
        self._timeout = timeout
        self._finding = asyncio.Lock()
        self._turns = asyncio.Semaphore(at_once)
        self._breakers: dict[str, Breaker] = {}
        self._client = RedisCluster(
            startup_nodes=[ClusterNode(host, int(port)) for host, _, port in (node.rpartition(":") for node in nodes)],
            password=password,
            protocol=2,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            max_connections=at_once * 2,
            retry=Retry(NoBackoff(), 1),
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )

    async def call(self, key: str, ask: Callable[[RedisCluster], Awaitable[_T]]) -> _T:
        """What the node of a key answers. Raises Away where it does not in time, has not of late, or refuses; LockError is
        its answer, and so is ResponseError, where it says that a key is not there, or that it has no such command."""
        async with self._turns:
            breaker = self._breakers.setdefault(self._node(key), Breaker())
            if not breaker.allows(time.monotonic()):
                raise Away
            try:
                await self._find_nodes()
                async with asyncio.timeout(self._timeout):
                    answer = await ask(self._client)
            except LockError:
                self._succeeded(breaker)
                raise
            except ResponseError as error:
                if any(words in str(error).lower() for words in _ANSWERS):
                    self._succeeded(breaker)
                    raise
                self._refused(error)
                self._failed(breaker, error)
                raise Away from error
            except Exception as error:  # whatever becomes of a client whose connections break, nobody fails for it
                self._failed(breaker, error)
                raise Away from error
            self._succeeded(breaker)
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError  # wait_for, which the client uses, may lose a cancellation before Python 3.12
            return answer

    async def command(self, key: str, *words: Any) -> Any:
        """A command about a key, and its answer."""
        return await self.call(key, lambda client: client.execute_command(*words))

    async def script(self, key: str, text: str, *arguments: Any) -> Any:
        """A script about one key, run as one step."""
        return await self.call(key, lambda client: client.execute_command("EVAL", text, 1, key, *arguments))

    async def watch(self, every: float) -> None:
        """Look every so many seconds, until cancelled, whether nodes that are left alone are back: it may be that nobody
        asks them for anything."""
        while True:
            await asyncio.sleep(every)
            await self.look()

    async def look(self) -> None:
        """The same, once. One that has no keys any more, since another has taken over, is forgotten. Never fails."""
        slots = self._client.nodes_manager.slots_cache
        if self.reachable or not slots:
            return
        masters = {nodes[0].name: nodes[0] for nodes in slots.values() if nodes}
        for name, breaker in list(self._breakers.items()):
            if name not in masters:
                del self._breakers[name]
            elif breaker.open and breaker.allows(time.monotonic()):
                try:
                    async with asyncio.timeout(self._timeout):
                        await self._client.execute_command("PING", target_nodes=masters[name])
                except Exception as error:  # as in `call`
                    self._failed(breaker, error)
                else:
                    self._succeeded(breaker)
        self._count()

    @property
    def reachable(self) -> bool:
        """Whether no node is thought to be away."""
        return not any(breaker.open for breaker in self._breakers.values())

    async def close(self) -> None:
        await self._client.aclose()

    async def _find_nodes(self) -> None:
        """The first call finds out which nodes there are, and all others wait for that."""
        if not self._client.nodes_manager.slots_cache:
            async with asyncio.timeout(max(self._timeout, _FIRST)), self._finding:
                if not self._client.nodes_manager.slots_cache:
                    await self._client.initialize()

    def _node(self, key: str) -> str:
        """The name of the node that has a key now; none is known before the first call."""
        slots = self._client.nodes_manager.slots_cache.get(self._client.keyslot(key))
        return slots[0].name if slots else ""

    def _succeeded(self, breaker: Breaker) -> None:
        if breaker.succeeded():
            _log.info("the shared cache is back")
            self._count()

    def _refused(self, error: ResponseError) -> None:
        """A node that is full, or may not be written to, answers much else: no breaker may ever say that it refuses."""
        if time.monotonic() >= self._tell_again:
            self._tell_again = time.monotonic() + _TELL_EVERY
            _log.warning("the shared cache refuses: %s: %s", type(error).__name__, error)

    def _failed(self, breaker: Breaker, error: BaseException) -> None:
        if breaker.failed(time.monotonic()):
            self.outages += 1
            _log.warning("the shared cache is away, and done without: %s: %s", type(error).__name__, error)
            self._count()

    def _count(self) -> None:
        self._meter.open(sum(breaker.open for breaker in self._breakers.values()))
