"""What is long over can be forgotten, a bounded number at a time; what goes on is kept."""

from __future__ import annotations

import asyncio

from msgspec import Raw

from postgres_stories import connected
from sagacity.saga import Saga, Step
from sagacity.saga.barrier import Standing
from sagacity.saga.decide import begin, decide
from sagacity.saga.happenings import Replied
from sagacity.saga.postgres import barrier, install, install_participant, listing, retention, store

ONE = Saga("one", 1, (Step("a", "A", "t", "UndoA"),))


def test_sagas_that_ended_long_ago_are_forgotten_with_their_history(database: str) -> None:
    async def story() -> None:
        await install(database)
        async with connected(database) as connection:
            for number, ends in enumerate((10, 20, 30, None)):
                begun = begin(ONE, f"s{number}", b"{}", number)
                done = begun if ends is None else decide(ONE, begun.saga, Replied(f"s{number}/a/do/1", success=True), ends)
                await store.write(connection, [done.saga], [], [*begun.events, *(done.events if ends else ())])
            assert await retention.forget_sagas(connection, 30, most=1) == 1
            assert await retention.forget_sagas(connection, 30) == 1
            assert await retention.forget_sagas(connection, 30) == 0
            assert [line.id for line in await listing.listed(connection)] == ["s3", "s2"]
            rows = await (await connection.execute("select distinct saga from sagacity.saga_history order by 1")).fetchall()
            assert rows == [("s2",), ("s3",)]

    asyncio.run(story())


def test_old_answers_are_forgotten(database: str) -> None:
    async def story() -> None:
        await install_participant(database)
        async with connected(database) as connection:
            answers = [
                barrier.Answered(f"s{time}", "a", Standing("do", 1, success=True, data=Raw(b"1")), time) for time in range(5)
            ]
            await barrier.keep(connection, answers)
            assert await retention.forget_answers(connection, 3, most=2) == 2
            assert await retention.forget_answers(connection, 3) == 1
            async with connection.transaction():
                held = await barrier.hold(connection, [(f"s{time}", "a") for time in range(5)])
            assert {each.time for each in held} == {3, 4}

    asyncio.run(story())
