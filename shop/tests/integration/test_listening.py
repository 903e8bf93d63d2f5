"""A listener on a real database: each message once, with its effects, whatever comes twice, fails, or cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import psycopg
import pytest

from sagacity.messaging import Delivery, Envelope, Message
from sagacity.messaging.memory import MemoryBroker
from sagacity.messaging.postgres import outbox
from sagacity.messaging.postgres.schema import MESSAGING, upgrade
from shop.chassis.database import Connection
from shop.chassis.listening import Heard, Hopeless, Listener

TOPIC = "news"
CUT = """
select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
"""


class News(msgspec.Struct):
    """What is told."""

    word: str


@pytest.fixture
def tables(database: str) -> str:
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in upgrade(MESSAGING, 0):
            connection.execute(statement.encode())
        connection.execute("create table heard (word text)")
    return database


def news(id: str, word: str | None = None, key: str = "7") -> Message:
    data = b'{"wrong": 1}' if word is None else msgspec.json.encode(News(word))
    return Message(TOPIC, Envelope(id=id, type="News", source="/s", time=1, key=key, data=data))


def rows(dsn: str, query: str) -> list[Any]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return [row[0] for row in connection.execute(query.encode()).fetchall()]


class Ear:
    """A listener that writes down what it hears, and fails on some words as often as it is told."""

    def __init__(self, dsn: str, failing: dict[str, int] | None = None) -> None:
        self.listener = Listener("ear", dsn, dead_letters="dead", attempts=3, pause=0.01)
        self._failing = failing or {}

        @self.listener.on("News", News)
        async def hear(heard: Heard, connection: Connection) -> None:
            word: str = heard.data.word
            await connection.execute("insert into heard values (%s)", (word,))
            if word == "hopeless":
                raise Hopeless("there is no such thing")
            if self._failing.get(word, 0) > 0:
                self._failing[word] -= 1
                raise RuntimeError("not now")
            await outbox.send(connection, [Message("echo", msgspec.structs.replace(heard.envelope, id=f"echo-{word}"))])


def told(ear: Ear, messages: list[Message], until: Callable[[], bool]) -> None:
    """Have messages heard until something holds."""

    async def story() -> None:
        broker = MemoryBroker(partitions=1)
        await broker.publisher().publish(messages)
        subscriber = broker.subscriber([TOPIC], "ear", ear.listener.positions)
        running = asyncio.create_task(ear.listener.run(subscriber))
        try:
            async with asyncio.timeout(60):
                while not await asyncio.to_thread(until):
                    assert not running.done()
                    await asyncio.sleep(0.02)
        finally:
            running.cancel()
            await asyncio.wait((running,))
            await subscriber.close()

    asyncio.run(story())


def position(dsn: str, at: int) -> Callable[[], bool]:
    return lambda: rows(dsn, "select position from sagacity.positions") == [at]


def test_what_comes_twice_is_done_once_and_effects_and_what_is_sent_are_one(tables: str) -> None:
    ear = Ear(tables)
    told(ear, [news("1", "a"), news("1", "a"), news("2", "b")], position(tables, 3))
    told(ear, [news("1", "a"), news("1", "a"), news("2", "b"), news("1", "a"), news("3", "c")], position(tables, 5))
    assert rows(tables, "select word from heard order by word") == ["a", "b", "c"]
    assert rows(tables, "select id from sagacity.outbox order by sequence") == ["echo-a", "echo-b", "echo-c"]


def test_what_fails_for_a_while_is_done_and_leaves_no_trace_of_the_attempts(tables: str) -> None:
    ear = Ear(tables, {"b": 2})
    told(ear, [news("1", "a"), news("2", "b"), news("3", "c")], position(tables, 3))
    assert rows(tables, "select word from heard order by word") == ["a", "b", "c"]
    assert rows(tables, "select reason from sagacity.dead_letters") == []


@pytest.mark.parametrize(
    ("message", "failing", "reason"),
    [
        (news("2", "b"), {"b": 99}, "3 attempts failed; the last: RuntimeError: not now"),
        (news("2", "hopeless"), {}, "there is no such thing"),
        (news("2"), {}, "the data of 'News' is not as its handler expects: Object missing required field `word`"),
    ],
)
def test_what_cannot_be_done_is_kept_with_the_reason_told_of_and_passed(
    tables: str, message: Message, failing: dict[str, int], reason: str
) -> None:
    """Defect 6: unreadable messages vanished. Defect 4: what failed ten times was dropped."""
    told(Ear(tables, failing), [news("1", "a"), message, news("3", "c")], position(tables, 3))
    assert rows(tables, "select word from heard order by word") == ["a", "c"]
    assert rows(tables, "select reason from sagacity.dead_letters") == [reason]
    assert rows(tables, "select topic from sagacity.outbox where topic = 'dead'") == ["dead"]


class Slow:
    """Gives one message each time that it is asked, and looks first at which position is kept."""

    def __init__(self, dsn: str, messages: list[Message]) -> None:
        self.seen: list[list[int]] = []
        self._dsn = dsn
        self._left = [Delivery(TOPIC, 0, at, each.envelope) for at, each in enumerate(messages)]

    async def receive(self, most: int, wait: float) -> Sequence[Delivery]:  # noqa: ARG002 - as a subscriber is asked
        self.seen.append(await asyncio.to_thread(rows, self._dsn, "select position from sagacity.positions"))
        if not self._left and len(self.seen) > 7:
            await asyncio.Event().wait()
        return [self._left.pop(0)] if self._left else []

    def again(self, partitions: object) -> None:
        """None is asked for again."""

    def assigned(self) -> frozenset[tuple[str, int]]:
        return frozenset({(TOPIC, 0)})

    def reach(self) -> None:
        return None

    async def close(self) -> None:
        """There is nothing to let go of."""


def test_what_nobody_has_declared_a_handler_for_costs_no_transaction_of_its_own(tables: str) -> None:
    def other(id: str) -> Message:
        return Message(TOPIC, msgspec.structs.replace(news(id, "odd").envelope, type="Rumour"))

    ear = Ear(tables)
    slow = Slow(tables, [other("1"), other("2"), news("3", "a"), other("4"), other("5")])

    async def story() -> None:
        await ear.listener.positions([(TOPIC, 0)])
        running = asyncio.create_task(ear.listener.run(slow))
        async with asyncio.timeout(60):
            while len(slow.seen) < 8:
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait((running,))

    asyncio.run(story())
    assert slow.seen == [[], [], [], [3], [3], [3], [5], [5]]
    assert rows(tables, "select word from heard") == ["a"]
    assert (ear.listener.counts["done"], ear.listener.counts["passed over"]) == (1, 4)


def test_a_database_that_is_away_for_a_moment_loses_nothing(tables: str) -> None:
    ear = Ear(tables)
    told(ear, [news("1", "a")], position(tables, 1))

    async def story() -> None:
        broker = MemoryBroker(partitions=1)
        subscriber = broker.subscriber([TOPIC], "ear", ear.listener.positions)
        running = asyncio.create_task(ear.listener.run(subscriber))
        await broker.publisher().publish([news("1", "a"), news("2", "b")])
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(position(tables, 2)):
                await asyncio.sleep(0.02)
            rows(tables, CUT)
            await broker.publisher().publish([news("3", "c")])
            while rows(tables, "select position from sagacity.positions") != [3]:
                await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.wait((running,))
        await subscriber.close()

    asyncio.run(story())
    assert rows(tables, "select word from heard order by word") == ["a", "b", "c"]


def test_a_position_that_was_moved_on_unseen_holds_nothing_up(tables: str) -> None:
    """As after a commit whose answer was lost with the connection: nothing is done again, and what follows is done."""
    ear = Ear(tables)

    async def story() -> None:
        broker = MemoryBroker(partitions=1)
        subscriber = broker.subscriber([TOPIC], "ear", ear.listener.positions)
        running = asyncio.create_task(ear.listener.run(subscriber))
        await broker.publisher().publish([news("1", "a")])
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(position(tables, 1)):
                await asyncio.sleep(0.02)
            rows(tables, "update sagacity.positions set position = 2 returning 1")
            await broker.publisher().publish([news("2", "done already"), news("3", "c")])
            while not await asyncio.to_thread(position(tables, 3)):
                await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.wait((running,))
        await subscriber.close()

    asyncio.run(story())
    assert rows(tables, "select word from heard order by word") == ["a", "c"]
