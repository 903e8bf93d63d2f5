"""The layer within the process, over a layer behind it that a test holds in its hand."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from shop.chassis.cache.local import Local
from shop.chassis.cache.meter import Meter
from shop.chassis.cache.source import Change, Kept


class Behind:
    """Answers what it is told to, once it is let to."""

    def __init__(self) -> None:
        self.answer = Kept(1, b"one")
        self.asked: list[int] = []
        self.hold: asyncio.Event | None = None
        self.error: Exception | None = None

    async def read(self, key: str, at_least: int = 0) -> Kept:
        assert key == "a"
        self.asked.append(at_least)
        answer = self.answer
        if self.hold is not None:
            await self.hold.wait()
        if self.error is not None:
            raise self.error
        return answer


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def local(behind: Behind, clock: Clock | None = None) -> Local:
    return Local(
        behind, Meter("test", CollectorRegistry()), lasting=10.0, absent=1.0, remembered=60.0, clock=clock or Clock()
    )


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_value_lasts_its_time_and_that_there_is_nothing_a_shorter_one() -> None:
    async def story() -> None:
        behind, clock = Behind(), Clock()
        layer = local(behind, clock)
        await layer.read("a")
        clock.now = 9.0
        await layer.read("a")
        assert len(behind.asked) == 1
        clock.now = 11.0
        behind.answer = Kept(0)
        await layer.read("a")
        clock.now = 13.0
        await layer.read("a")
        assert len(behind.asked) == 3

    asyncio.run(story())


def test_all_who_ask_at_once_are_answered_by_one_question() -> None:
    async def story() -> None:
        behind = Behind()
        behind.hold = asyncio.Event()
        layer = local(behind)
        asking = [asyncio.create_task(layer.read("a")) for _ in range(50)]
        await turns()
        asking[0].cancel()
        behind.hold.set()
        answers = await asyncio.gather(*asking[1:])
        assert set(answers) == {Kept(1, b"one")}
        assert behind.asked == [0]

    asyncio.run(story())


def test_an_error_reaches_all_who_asked_and_is_not_kept() -> None:
    async def story() -> None:
        behind = Behind()
        behind.error = RuntimeError("away")
        layer = local(behind)
        both = await asyncio.gather(layer.read("a"), layer.read("a"), return_exceptions=True)
        assert [str(each) for each in both] == ["away", "away"]
        behind.error = None
        assert await layer.read("a") == Kept(1, b"one")

    asyncio.run(story())


def test_what_was_read_before_a_change_is_not_kept_after_it() -> None:
    async def story() -> None:
        behind = Behind()
        behind.hold = asyncio.Event()
        layer = local(behind)
        before = asyncio.create_task(layer.read("a"))
        await turns()
        layer.supersede([Change("a", 2)])
        behind.answer = Kept(2, b"two")
        after = asyncio.create_task(layer.read("a"))
        await turns()
        behind.hold.set()
        assert await before == Kept(1, b"one")
        assert await after == Kept(2, b"two")
        assert await layer.read("a") == Kept(2, b"two")
        assert behind.asked == [0, 2]

    asyncio.run(story())


def test_changes_that_come_late_or_twice_are_no_news() -> None:
    async def story() -> None:
        behind = Behind()
        behind.answer = Kept(5, b"five")
        layer = local(behind)
        await layer.read("a")
        assert layer.supersede([Change("a", 5)]) == [Change("a", 5)]
        assert layer.supersede([Change("a", 5), Change("a", 3)]) == []
        await layer.read("a")
        assert len(behind.asked) == 1

    asyncio.run(story())


@pytest.mark.parametrize("at_least", [1, 2])
def test_who_has_written_a_version_reads_nothing_older(at_least: int) -> None:
    async def story() -> None:
        behind = Behind()
        layer = local(behind)
        await layer.read("a")
        behind.answer = Kept(2, b"two")
        assert (await layer.read("a", at_least)).version >= at_least

    asyncio.run(story())
