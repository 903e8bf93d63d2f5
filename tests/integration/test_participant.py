"""A participant on a real PostgreSQL: whatever comes twice, late or out of order, effects stand once or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from postgres_stories import Publishing, connected
from sagacity.errors import MessagingError, UsageError
from sagacity.messaging import Envelope, Message
from sagacity.messaging.memory import MemoryBroker
from sagacity.messaging.postgres import Relay, dead_letters
from sagacity.saga.handlers import BusinessFailure, Command
from sagacity.saga.messages import replied
from sagacity.saga.participant import Participant
from sagacity.saga.patience import Patience
from sagacity.saga.postgres import install_participant
from sagacity.saga.postgres.transaction import Transaction


class Order(msgspec.Struct):
    item: str
    quantity: int = 1


def command(saga: str, direction: str = "do", attempt: int = 1, data: bytes = b'{"item":"tea"}') -> Envelope:
    return Envelope(
        id=f"{saga}/reserve/{direction}/{attempt}",
        type="Reserve" if direction == "do" else "Release",
        source="/sagas/purchase",
        time=1,
        key=saga,
        data=data,
        reply_to="replies",
        extensions=(("sagaattempt", str(attempt)), ("sagadirection", direction), ("sagaid", saga), ("sagastep", "reserve")),
    )


class Stock:
    """A participant that reserves from a stock of five, and says what has happened to its handlers."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.runs: list[str] = []
        self.trouble = 0
        self.slow: asyncio.Event | None = None
        self.participant = Participant("stock", dsn, patience=Patience(attempts=3, first=0.01))
        self.participant.handles("Reserve", Order)(self.reserve)
        self.participant.compensates("reserve", Order)(self.release)

    async def reserve(self, command: Command, transaction: Transaction) -> dict[str, int]:
        self.runs.append(command.id)
        order: Order = command.data
        await transaction.execute("update stock set quantity = quantity - %s", (order.quantity,))
        if self.slow is not None:
            await self.slow.wait()
        if self.trouble:
            self.trouble -= 1
            await transaction.execute("select 1 / 0")
        (left,) = await (await transaction.execute("select quantity from stock")).fetchone()  # type: ignore[misc]
        if left < 0:
            raise BusinessFailure("sold out", transient=True)
        return {"left": left}

    async def release(self, command: Command, transaction: Transaction) -> None:
        self.runs.append(command.id)
        await transaction.execute("update stock set quantity = quantity + %s", (command.data.quantity,))

    async def left(self) -> int:
        async with connected(self.dsn) as connection:
            (left,) = await (await connection.execute("select quantity from stock")).fetchone()  # type: ignore[misc]
            return int(left)


@asynccontextmanager
async def stock(dsn: str) -> AsyncIterator[Stock]:
    await install_participant(dsn)
    async with connected(dsn) as connection:
        await connection.execute("create table if not exists stock (quantity int)")
        await connection.execute("insert into stock select 5 where not exists (select from stock)")
    selling = Stock(dsn)
    try:
        yield selling
    finally:
        await selling.participant.close()


def test_a_redelivered_command_answers_as_before_to_the_byte(database: str) -> None:
    async def story() -> None:
        async with stock(database) as selling:
            (first,) = await selling.participant.do([command("s1")])
            again = await selling.participant.do([command("s1"), command("s1")])
            assert list(again) == [first, first]
            assert await selling.left() == 4
            assert selling.runs == ["s1/reserve/do/1"]

    asyncio.run(story())


def test_a_failure_leaves_nothing_behind_and_is_answered_as_before(database: str) -> None:
    async def story() -> None:
        async with stock(database) as selling:
            (first,) = await selling.participant.do([command("s1", data=b'{"item":"tea","quantity":6}')])
            told = replied(first)
            assert told is not None
            assert (told.success, told.reason, told.transient) == (False, "sold out", True)
            assert await selling.left() == 5
            assert list(await selling.participant.do([command("s1")])) == [first]
            (anew,) = await selling.participant.do([command("s1", attempt=2)])
            assert (replied(anew) or told).success
            assert await selling.left() == 4

    asyncio.run(story())


def test_a_compensation_that_overtakes_its_command_undoes_nothing_and_the_late_command_is_refused(database: str) -> None:
    async def story() -> None:
        async with stock(database) as selling:
            undone, late = await selling.participant.do([command("s1", "undo"), command("s1")])
            assert (replied(undone) or replied(late)).success  # type: ignore[union-attr]
            refused = replied(late)
            assert refused is not None
            assert not refused.success
            assert selling.runs == []
            assert await selling.left() == 5

    asyncio.run(story())


def test_a_compensation_undoes_what_was_done_once(database: str) -> None:
    async def story() -> None:
        async with stock(database) as selling:
            await selling.participant.do([command("s1"), command("s1", "undo"), command("s1", "undo", 2)])
            assert selling.runs == ["s1/reserve/do/1", "s1/reserve/undo/1"]
            assert await selling.left() == 5

    asyncio.run(story())


def test_two_processes_that_get_the_same_command_at_once_do_it_once(database: str) -> None:
    async def story() -> None:
        async with stock(database) as one, stock(database) as other:
            one.slow = asyncio.Event()
            first = asyncio.create_task(one.participant.do([command("s1")]))
            while not one.runs:
                await asyncio.sleep(0.005)
            second = asyncio.create_task(other.participant.do([command("s1"), command("s1", "undo")]))
            await asyncio.sleep(0.05)
            assert not second.done()
            one.slow.set()
            (reply,) = await first
            again, _ = await second
            assert again == reply
            assert one.runs + other.runs == ["s1/reserve/do/1", "s1/reserve/undo/1"]
            assert await one.left() == 5

    asyncio.run(story())


def test_what_may_pass_is_tried_again_and_what_others_did_in_the_same_transaction_stays(database: str) -> None:
    async def story() -> None:
        async with stock(database) as selling:
            selling.trouble = 1
            replies = await selling.participant.do([command(f"s{number}") for number in range(4)])
            assert [reply.cause for reply in replies] == [f"s{number}/reserve/do/1" for number in range(4)]
            assert await selling.left() == 1
            assert selling.participant.counts["retried"] == 1

    asyncio.run(story())


def test_a_handler_that_never_succeeds_makes_a_dead_letter_and_holds_up_no_other(database: str) -> None:
    async def story() -> None:
        async with stock(database) as selling:
            selling.trouble = 3
            replies = await selling.participant.do([command("s0"), command("s1")])
            assert [reply.cause for reply in replies] == ["s1/reserve/do/1"]
            async with connected(database) as connection:
                (letter,) = await dead_letters.listed(connection)
                assert letter.envelope == command("s0")
                assert "3 attempts failed; the last: DivisionByZero" in letter.reason
            assert await selling.left() == 4

    asyncio.run(story())


def test_data_that_is_not_as_declared_makes_a_dead_letter_at_once(database: str) -> None:
    async def story() -> None:
        async with stock(database) as selling:
            assert list(await selling.participant.do([command("s0", data=b'{"item":3}')])) == []
            async with connected(database) as connection:
                (letter,) = await dead_letters.listed(connection)
                assert "not as its handler expects" in letter.reason
            assert selling.runs == []

    asyncio.run(story())


def test_what_the_database_cannot_keep_makes_a_dead_letter_and_holds_up_no_other(database: str) -> None:
    async def story() -> None:
        async with stock(database) as selling:
            replies = await selling.participant.do([command("s1"), command("s\x002"), command("s3")])
            assert [reply.cause for reply in replies] == ["s1/reserve/do/1", "s3/reserve/do/1"]
            assert await selling.left() == 3
            async with connected(database) as connection:
                (letter,) = await dead_letters.listed(connection)
                assert letter.envelope == command("s\x002")

    asyncio.run(story())


def test_a_database_without_the_tables_is_said(database: str) -> None:
    async def story() -> None:
        participant = Participant("stock", database)
        with pytest.raises(MessagingError, match="the tables are not there"):
            await participant.do([command("s1")])
        await participant.close()

    asyncio.run(story())


def test_over_a_broker_positions_effects_and_replies_are_one(database: str) -> None:
    publishing = Publishing()

    async def story() -> None:
        async with stock(database) as selling:
            broker = MemoryBroker(partitions=2)
            await broker.publisher().publish([Message("commands", command(f"s{n}")) for n in range(4)])
            for _ in range(2):  # the second run finds nothing left to do
                reading = broker.subscriber(["commands"], "stock", selling.participant.positions)
                running = asyncio.create_task(selling.participant.run(reading))
                while await selling.left() != 1:
                    await asyncio.sleep(0.01)
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await reading.close()
            assert len(selling.runs) == 4
            await Relay(database, publishing).drain()
            assert {(each.topic, each.envelope.cause) for each in publishing.kept} == {
                ("replies", f"s{number}/reserve/do/1") for number in range(4)
            }
            assert len(publishing.kept) == 4

    asyncio.run(story())


def test_a_position_that_was_moved_on_unseen_holds_nothing_up(database: str) -> None:
    """As after a commit whose answer was lost with the connection."""

    async def story() -> None:
        async with stock(database) as selling, connected(database) as connection, asyncio.timeout(60):
            broker = MemoryBroker(partitions=1)
            reading = broker.subscriber(["commands"], "stock", selling.participant.positions)
            running = asyncio.create_task(selling.participant.run(reading))
            await broker.publisher().publish([Message("commands", command("s0"))])
            while await selling.left() != 4:
                await asyncio.sleep(0.01)
            await connection.execute("update sagacity.positions set position = 2")
            await broker.publisher().publish([Message("commands", command(f"s{number}")) for number in (1, 2)])
            while await selling.left() != 3:
                await asyncio.sleep(0.01)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await reading.close()
            assert selling.runs[-1] == "s2/reserve/do/1"

    asyncio.run(story())


def test_slow_handlers_hold_up_the_replies_of_those_before_them_for_a_second_only(database: str) -> None:
    transactions: list[tuple[str, int]] = []
    now = [0]

    async def slow(command: Command, transaction: Transaction) -> None:
        now[0] += 600_000
        row = await (await transaction.execute("select txid_current()")).fetchone()
        transactions.append((command.saga, row[0] if row else 0))

    async def story() -> None:
        await install_participant(database)
        participant = Participant("stock", database, clock=lambda: now[0])
        participant.handles("Reserve")(slow)
        replies = await participant.do([command(f"s{number}") for number in range(5)])
        assert [each.key for each in replies] == [f"s{number}" for number in range(5)]
        await participant.close()

    asyncio.run(story())
    assert [saga for saga, _ in transactions] == [f"s{number}" for number in range(5)]
    assert len({number for _, number in transactions}) == 3


def test_two_handlers_of_one_name_are_refused() -> None:
    participant = Participant("stock", "")

    async def handler(command: Command, transaction: Transaction) -> None: ...

    participant.handles("Reserve")(handler)
    participant.compensates("Reserve")(handler)
    with pytest.raises(UsageError, match="two handlers"):
        participant.handles("Reserve")(handler)
