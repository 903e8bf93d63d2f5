"""Inbox, positions and dead letters on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from psycopg import AsyncConnection

from postgres_stories import Publishing, connected, installed
from sagacity.errors import FencedError, UsageError
from sagacity.messaging.postgres import Relay, dead_letters, inbox, positions
from sagacity.messaging.subscriber import Delivery, Unreadable
from sagacity.testing.messaging import message

A, B = message("orders", 1).envelope, message("orders", 2).envelope
UNREADABLE = Delivery("orders", 0, 8, Unreadable(b"k", b"\xff", (("h", b"v"),), "it is no CloudEvent"))


def test_a_message_is_done_once_and_its_answer_is_remembered(database: str) -> None:
    answers = (message("replies", 5), message("replies", 6))

    async def story() -> None:
        async with installed(database) as connection:
            async with connection.transaction():
                assert await inbox.take(connection, "warehouse", [A, B]) == {}
                await inbox.remember(connection, "warehouse", A, answers)
            async with connection.transaction():
                again = await inbox.take(connection, "warehouse", [A, B, message("orders", 3).envelope])
                assert again == {(A.source, "m1"): answers, (B.source, "m2"): ()}
            assert await inbox.take(connection, "compliance", [A]) == {}

    asyncio.run(story())


def test_what_is_rolled_back_was_not_taken_on(database: str) -> None:
    async def story() -> None:
        async with installed(database) as connection:
            async with connection.transaction(force_rollback=True):
                await inbox.take(connection, "warehouse", [A])
            assert await inbox.take(connection, "warehouse", [A]) == {}

    asyncio.run(story())


def test_two_that_take_the_same_message_on_at_once_do_it_once(database: str) -> None:
    async def take(connection: AsyncConnection, begun: asyncio.Event | None) -> bool:
        async with connection.transaction():
            new = not await inbox.take(connection, "warehouse", [A, B])
            if begun is not None:
                begun.set()
                await asyncio.sleep(0.05)
            return new

    async def story() -> list[bool]:
        async with installed(database) as one, connected(database) as other:
            begun = asyncio.Event()
            first = asyncio.create_task(take(one, begun))
            await begun.wait()
            return [await take(other, None), await first]

    assert sorted(asyncio.run(story())) == [False, True]


def test_what_is_old_is_forgotten(database: str) -> None:
    async def story() -> None:
        async with installed(database) as connection:
            await inbox.take(connection, "warehouse", [A])
            assert await inbox.forget(connection, timedelta(days=1)) == 0
            assert await inbox.forget(connection, timedelta(0)) == 1
            assert await inbox.take(connection, "warehouse", [A]) == {}

    asyncio.run(story())


def test_what_is_forgotten_at_a_time_can_be_bounded(database: str) -> None:
    async def story() -> None:
        async with installed(database) as connection:
            await inbox.take(connection, "warehouse", [A, msgspec.structs.replace(A, id="another")])
            assert [await inbox.forget(connection, timedelta(0), most=1) for _ in range(3)] == [1, 1, 0]

    asyncio.run(story())


def test_positions_move_on_only_from_where_they_were_left(database: str) -> None:
    first, second = ("orders", 0), ("orders", 1)

    async def story() -> None:
        async with installed(database) as connection:
            assert await positions.read(connection, "g", [first, second]) == {}
            await positions.move(connection, "g", {first: (None, 5), second: (None, 0)})
            assert await positions.read(connection, "g", [first, second]) == {first: 5, second: 0}
            assert await positions.read(connection, "h", [first]) == {}
            await positions.move(connection, "g", {first: (5, 9)})
            for wrong in ({first: (5, 7)}, {first: (None, 7)}, {first: (9, 12), second: (3, 4)}):
                with pytest.raises(FencedError):
                    async with connection.transaction():
                        await positions.move(connection, "g", wrong)
            assert await positions.read(connection, "g", [first, second]) == {first: 9, second: 0}

    asyncio.run(story())


def test_of_two_that_move_the_same_position_at_once_one_fails(database: str) -> None:
    async def move(connection: AsyncConnection, at: int, begun: asyncio.Event | None) -> bool:
        try:
            async with connection.transaction():
                await positions.move(connection, "g", {("orders", 0): (3, at)})
                if begun is not None:
                    begun.set()
                    await asyncio.sleep(0.05)
                return True
        except FencedError:
            return False

    async def story() -> tuple[list[bool], object]:
        async with installed(database) as one, connected(database) as other:
            await positions.move(one, "g", {("orders", 0): (None, 3)})
            begun = asyncio.Event()
            first = asyncio.create_task(move(one, 8, begun))
            await begun.wait()
            done = [await move(other, 6, None), await first]
            return done, await positions.read(one, "g", [("orders", 0)])

    assert asyncio.run(story()) == ([False, True], {("orders", 0): 8})


def test_a_dead_letter_keeps_its_reason_and_can_be_given_again_once(database: str) -> None:
    publishing = Publishing()

    async def story() -> None:
        async with installed(database) as connection:
            number = await dead_letters.bury(connection, "warehouse", Delivery("orders", 0, 7, A), "it names no product")
            assert await dead_letters.count(connection) == {"warehouse": 1}
            (letter,) = await dead_letters.listed(connection, consumer="warehouse")
            assert (letter.reason, letter.envelope, letter.offset) == ("it names no product", A, 7)
            async with connection.transaction():
                assert await dead_letters.redrive(connection, [number], by="ada") == 1
                assert await dead_letters.redrive(connection, [number], by="ada") == 0
            assert await dead_letters.listed(connection) == []
            (letter,) = await dead_letters.listed(connection, redriven=True)
            assert letter.redriven_by == "ada"
            await Relay(database, publishing).drain()

    asyncio.run(story())
    assert publishing.kept == [message("orders", 1)]


def test_what_is_unreadable_is_kept_as_it_came_and_cannot_be_given_again(database: str) -> None:
    async def story() -> None:
        async with installed(database) as connection:
            number = await dead_letters.bury(connection, "warehouse", UNREADABLE, "it is no CloudEvent")
            (letter,) = await dead_letters.listed(connection)
            assert (letter.envelope, letter.key, letter.value) == (None, b"k", b"\xff")
            with pytest.raises(UsageError, match="no envelope"):
                await dead_letters.redrive(connection, [number], by="ada")

    asyncio.run(story())


@pytest.mark.parametrize("delivery", [UNREADABLE, Delivery("orders", 0, 7, A)])
def test_others_are_told_of_a_dead_letter(delivery: Delivery) -> None:
    told = dead_letters.as_message("dead", "warehouse", delivery, "why", 5)
    assert told.topic == "dead"
    assert told.envelope.type == "MessageBuried"
    assert b'"reason":"why"' in told.envelope.data
