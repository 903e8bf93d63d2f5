"""A service that runs within a test, on free ports, and is stopped at its end as SIGTERM would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shop.chassis.service import Service

__all__ = ["running"]

_UP_WITHIN = 30.0


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[Service]:
    """The service, once it is ready. Raises RuntimeError where it does not become so, and AssertionError where its end
    fails."""
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
