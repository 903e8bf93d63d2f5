"""A subscriber that is told to drain gives nothing more, and says when what it gave last has been done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from sagacity.messaging import Delivery, Envelope
from shop.chassis.messages import Draining

BATCH = [Delivery("orders", 0, 0, Envelope(id="1", type="Order", source="/test", time=0, key="k"))]


class _Endless:
    """Always has something to give."""

    def __init__(self, batch: Sequence[Delivery] = BATCH) -> None:
        self.batch = batch
        self.closed = False

    async def receive(self, most: int, wait: float) -> Sequence[Delivery]:
        del most, wait
        await asyncio.sleep(0)
        return self.batch

    def again(self, partitions: Iterable[tuple[str, int]]) -> None:
        del partitions

    def assigned(self) -> frozenset[tuple[str, int]]:
        return frozenset({("orders", 0)})

    def reach(self) -> str | None:
        return None

    async def close(self) -> None:
        self.closed = True


def test_what_was_given_is_done_before_it_has_drained() -> None:
    async def go() -> None:
        draining, done, finish = Draining(_Endless()), [0], asyncio.Event()

        async def read() -> None:
            while True:
                await draining.receive(1, 1.0)
                await finish.wait()
                done[0] += 1

        reader = asyncio.create_task(read())
        await asyncio.sleep(0.01)
        drained = asyncio.create_task(draining.drain())
        await asyncio.sleep(0.01)
        assert not drained.done()
        finish.set()
        async with asyncio.timeout(10):
            await drained
        assert done == [1]
        reader.cancel()

    asyncio.run(go())


def test_what_has_come_meanwhile_is_given_and_done() -> None:
    async def go() -> None:
        draining = Draining(_Endless())
        receiving = asyncio.create_task(draining.receive(1, 1.0))
        drained = asyncio.create_task(draining.drain())
        assert await receiving == BATCH
        assert not drained.done()
        again = asyncio.create_task(draining.receive(1, 1.0))
        async with asyncio.timeout(10):
            await drained
        assert not again.done()
        again.cancel()

    asyncio.run(go())


def test_where_nothing_comes_it_drains_at_once() -> None:
    async def go() -> None:
        draining = Draining(_Endless([]))

        async def read() -> None:
            while True:
                await draining.receive(1, 1.0)

        reader = asyncio.create_task(read())
        async with asyncio.timeout(10):
            await draining.drain()
        reader.cancel()

    asyncio.run(go())


def test_it_is_otherwise_the_subscriber_that_it_is_around() -> None:
    inner = _Endless()
    draining = Draining(inner)
    assert draining.assigned() == inner.assigned()
    assert draining.reach() is None
    asyncio.run(draining.close())
    assert inner.closed
