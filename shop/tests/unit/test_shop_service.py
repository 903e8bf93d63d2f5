"""The life of a process: what starts, what stops, in which order, and what is said meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from shop.chassis.parts import Life
from shop.chassis.service import Service


class Part:
    """Notes when it is entered and left, and says what it is told to say."""

    def __init__(self, name: str, notes: list[str], trouble: str | None = None) -> None:
        self.name = name
        self.notes = notes
        self.trouble = trouble

    async def __aenter__(self) -> Part:
        self.notes.append(f"{self.name} begins")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.notes.append(f"{self.name} ends")

    async def check(self) -> str | None:
        return self.trouble


async def _ready(service: Service) -> asyncio.Task[int]:
    task = asyncio.create_task(service.run())
    async with asyncio.timeout(10):
        while service.state == "starting":
            await asyncio.sleep(0)
    return task


def test_parts_begin_in_order_and_end_in_the_reverse_order() -> None:
    notes: list[str] = []

    async def go() -> int:
        service = Service("stall")
        for name in ("one", "two", "three"):
            service.add(name, Part(name, notes))
        task = await _ready(service)
        service.stop()
        return await task

    assert asyncio.run(go()) == 0
    assert notes == ["one begins", "two begins", "three begins", "three ends", "two ends", "one ends"]


def test_readiness_names_each_part_with_what_is_the_matter() -> None:
    async def go() -> None:
        service = Service("stall")
        service.add("fine", Part("fine", []))
        service.add("wanted", Part("wanted", [], "it rests"), needed=False)
        task = await _ready(service)
        found = await service.readiness()
        assert (found.state, found.ready) == ("ready", True)
        assert found.parts == {"fine": "ok", "wanted": "it rests"}
        service.stop()
        await task
        assert (await service.readiness()).state == "draining"
        assert not (await service.readiness()).ready

    asyncio.run(go())


def test_a_needed_part_that_does_not_work_makes_it_unready_and_no_worse() -> None:
    async def go() -> int:
        service = Service("stall")
        service.add("needed", Part("needed", [], "it rests"))
        task = await _ready(service)
        assert not (await service.readiness()).ready
        service.stop()
        return await task

    assert asyncio.run(go()) == 0


def test_before_it_is_ready_it_says_so() -> None:
    assert not asyncio.run(Service("stall").readiness()).ready


@pytest.mark.parametrize("error", [RuntimeError("it broke"), None], ids=["fails", "returns"])
def test_a_task_that_ends_by_itself_ends_the_process_after_the_others_have_drained(error: Exception | None) -> None:
    notes: list[str] = []

    async def end() -> None:
        if error is not None:
            raise error

    async def go() -> int:
        service = Service("stall")
        service.add("one", Part("one", notes))
        service.run_beside("ending", end)
        async with asyncio.timeout(10):
            return await service.run()

    assert asyncio.run(go()) == 1
    assert notes == ["one begins", "one ends"]


def test_a_part_that_cannot_begin_ends_the_process_and_those_before_it() -> None:
    notes: list[str] = []

    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        raise OSError("the port is taken")
        yield

    async def go() -> int:
        service = Service("stall")
        service.add("one", Part("one", notes))
        service.add("broken", broken())
        service.add("never", Part("never", notes))
        return await service.run()

    assert asyncio.run(go()) == 1
    assert notes == ["one begins", "one ends"]


def test_told_to_stop_while_a_part_begins_it_ends_what_has_begun() -> None:
    notes: list[str] = []

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        notes.append("slow begins")
        await asyncio.Event().wait()
        yield

    async def go() -> int:
        service = Service("stall")
        service.add("one", Part("one", notes))
        service.add("slow", slow())
        task = asyncio.create_task(service.run())
        async with asyncio.timeout(10):
            while "slow begins" not in notes:
                await asyncio.sleep(0)
            service.stop()
            return await task

    assert asyncio.run(go()) == 0
    assert notes == ["one begins", "slow begins", "one ends"]


class _Stuck(Part):
    async def __aexit__(self, *_: object) -> None:
        await asyncio.Event().wait()


def test_parts_that_never_end_are_not_awaited_for_ever_and_the_others_end_all_the_same() -> None:
    notes: list[str] = []

    async def go() -> int:
        service = Service("stall", life=Life(drain_within=timedelta(milliseconds=50)))
        service.add("one", Part("one", notes))
        service.add("stuck", _Stuck("stuck", notes))
        service.add("as stuck", _Stuck("as stuck", notes))
        task = await _ready(service)
        service.stop()
        async with asyncio.timeout(10):
            return await task

    assert asyncio.run(go()) == 1
    assert notes == ["one begins", "stuck begins", "as stuck begins", "one ends"]


class _Working(Part):
    def __init__(self, name: str, notes: list[str]) -> None:
        super().__init__(name, notes)
        self.going = asyncio.Event()

    def tasks(self) -> Iterable[asyncio.Task[Any]]:
        return (asyncio.ensure_future(self.going.wait()),)


def test_a_part_whose_own_task_ends_ends_the_process() -> None:
    async def go() -> int:
        service = Service("stall")
        part = service.add("working", _Working("working", []))
        task = await _ready(service)
        part.going.set()
        async with asyncio.timeout(10):
            return await task

    assert asyncio.run(go()) == 1
