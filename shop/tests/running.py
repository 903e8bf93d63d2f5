"""Services that run within a test, and are stopped at its end as SIGTERM would stop them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from shop.chassis.service import Service

__all__ = ["running", "running_beside"]

_UP_WITHIN = 30.0


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[Service]:
    """The service, once it is ready, in this event loop. Raises RuntimeError where it does not become so, and AssertionError
    where its end fails."""
    task = asyncio.create_task(service.run())
    try:
        async with asyncio.timeout(_UP_WITHIN):
            while service.state == "starting":
                if task.done():
                    raise RuntimeError(f"{service.name} ended with {task.result()} before it was ready")
                await asyncio.sleep(0.01)
        yield service
    finally:
        service.stop()
        code = await task
    assert code == 0, f"{service.name} ended with {code}"


@contextmanager
def running_beside(make: Callable[[], Service]) -> Iterator[Service]:
    """The same, in an event loop of its own, on another thread: for tests that are no coroutines."""
    made: list[Service] = []
    codes: list[int] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        made.append(make())
        codes.append(await made[0].run())

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="service")
    thread.start()
    limit = time.monotonic() + _UP_WITHIN
    while (not made or made[0].state == "starting") and thread.is_alive() and time.monotonic() < limit:
        time.sleep(0.01)
    try:
        if not made or made[0].state != "ready":
            raise RuntimeError("the service did not become ready")
        yield made[0]
    finally:
        if made and thread.is_alive():
            loops[0].call_soon_threadsafe(made[0].stop)
        thread.join(_UP_WITHIN)
    assert codes == [0], f"{made[0].name} ended with {codes}"
