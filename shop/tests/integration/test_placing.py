"""A purchase and what is sent about it are kept together, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
import psycopg
import pytest

import shop.purchase.wiring
from sagacity.messaging.postgres.outbox import read_envelope
from shop.chassis.database import Pool
from shop.chassis.failures import Failure
from shop.chassis.ids import Ids
from shop.chassis.migrating import migrate_now
from shop.chassis.parts import Database
from shop.chassis.settings import Secret
from shop.contracts import topics
from shop.contracts.commands import Item, StartPurchase
from shop.purchase import store
from shop.purchase.domain import Line
from shop.purchase.placing import Asked, Placing
from shop.purchase.products import Found
from shop.purchase.streams import Streams, StreamSettings

T = TypeVar("T")
ASKED = Asked(3, (Line(11, 1), Line(12, 2), Line(11, 3)), "USD", None)


class Shelf:
    """Products, as they are told."""

    def __init__(self, **found: Found) -> None:
        self.asked = 0
        self._found = {int(id[1:]): each for id, each in found.items()}

    async def look_up(self, lines: Sequence[Line]) -> Mapping[int, Found]:
        self.asked += 1
        return {line.product_id: self._found.get(line.product_id, Found("NOT_FOUND")) for line in lines}


SHELF = {"p11": Found("OK", 450, "USD"), "p12": Found("OK", 1200, "USD")}


@pytest.fixture
def purchases(database: str) -> str:
    migrate_now(database, shop.purchase.wiring.REVISIONS)
    return database


@asynccontextmanager
async def pooled(dsn: str) -> AsyncIterator[Pool]:
    async with Pool(Database(url=Secret(dsn), pool=10)) as pool:
        yield pool


def run(dsn: str, story: Callable[[Pool], Awaitable[T]]) -> T:
    async def told() -> T:
        async with pooled(dsn) as pool:
            return await story(pool)

    return asyncio.run(told())


def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_purchase_and_what_starts_its_saga_are_one_transaction(purchases: str) -> None:
    """Defect 4: the database and the broker could disagree, and after ten failed tries the message was dropped."""
    purchase = run(purchases, lambda pool: Placing(pool, Shelf(**SHELF), Ids(1)).place(ASKED))
    sent = rows(purchases, "select topic, key, envelope from sagacity.outbox order by sequence")
    assert [(topic, key) for topic, key, _ in sent] == [
        (topics.PURCHASE, str(purchase.id)), (topics.SHOP_EVENTS, str(purchase.id)),
    ]  # fmt: skip
    start = msgspec.json.decode(read_envelope(sent[0][2]).data, type=StartPurchase)
    assert start == StartPurchase(str(purchase.id), "3", "USD", (Item("11", 4), Item("12", 2)))
    assert purchase.quoted == 4 * 450 + 2 * 1200


def test_what_cannot_be_sent_is_not_kept_either(purchases: str) -> None:
    """Defect 4: the outbox is away, so there is no purchase of which nobody would ever hear."""
    with psycopg.connect(purchases, autocommit=True) as connection:
        connection.execute("alter table sagacity.outbox rename to away")
    with pytest.raises(psycopg.errors.UndefinedTable):
        run(purchases, lambda pool: Placing(pool, Shelf(**SHELF), Ids(1)).place(ASKED))
    assert rows(purchases, "select * from purchases") == []


def test_a_key_that_is_known_asks_nobody_about_products(purchases: str) -> None:
    shelf = Shelf(**SHELF)
    asked = msgspec.structs.replace(ASKED, key="k")
    again = msgspec.structs.replace(asked, lines=(Line(12, 2), Line(11, 4)))

    async def story(pool: Pool) -> tuple[int, int]:
        placing = Placing(pool, shelf, Ids(1))
        return (await placing.place(asked)).id, (await placing.place(again)).id

    first, second = run(purchases, story)
    assert (first, shelf.asked) == (second, 1)


class LastOnes:
    """What is looked at here is bought just then, by the first of two requests with one key."""

    def __init__(self, pool: Pool, found: Found) -> None:
        self.placed: int | None = None
        self._pool = pool
        self._found = found

    async def look_up(self, lines: Sequence[Line]) -> Mapping[int, Found]:
        first = Placing(self._pool, Shelf(**SHELF), Ids(2))
        self.placed = (await first.place(msgspec.structs.replace(ASKED, key="k"))).id
        return {line.product_id: self._found for line in lines}


@pytest.mark.parametrize("found", [Found("NOT_ENOUGH", 450, "USD"), Found("INTERNAL_ERROR")])
def test_a_request_that_is_sent_again_is_not_refused_for_what_the_first_has_taken(purchases: str, found: Found) -> None:
    async def story(pool: Pool) -> None:
        shelf = LastOnes(pool, found)
        again = await Placing(pool, shelf, Ids(1)).place(msgspec.structs.replace(ASKED, key="k"))
        assert again.id == shelf.placed

    run(purchases, story)


@pytest.mark.parametrize(
    ("found", "status", "words"),
    [
        (Found("NOT_FOUND"), 422, "there is no such product"),
        (Found("NOT_ENOUGH", 450, "USD"), 422, "there is not enough"),
        (Found("INTERNAL_ERROR"), 503, "products cannot be looked at now; try again"),
        (Found("OK", 1 << 62, "USD"), 422, "this is more than can be charged"),
    ],
)
def test_why_something_cannot_be_bought_is_told_apart(purchases: str, found: Found, status: int, words: str) -> None:
    """Defect 11: what was not enough was said to be not found."""
    with pytest.raises(Failure) as caught:
        run(purchases, lambda pool: Placing(pool, Shelf(p11=found, p12=SHELF["p12"]), Ids(1)).place(ASKED))
    assert (caught.value.status, caught.value.body.error) == (status, words)
    assert rows(purchases, "select * from purchases") == []


def test_more_than_there_can_be_is_refused_before_anybody_is_asked(purchases: str) -> None:
    shelf = Shelf(**SHELF)
    asked = msgspec.structs.replace(ASKED, lines=(Line(11, 600_000), Line(11, 600_000)))
    with pytest.raises(Failure) as caught:
        run(purchases, lambda pool: Placing(pool, shelf, Ids(1)).place(asked))
    assert (caught.value.status, shelf.asked) == (422, 0)


def test_a_stream_lives_is_told_at_once_and_ends_with_the_result(purchases: str) -> None:
    async def story(pool: Pool) -> list[bytes]:
        purchase = await Placing(pool, Shelf(**SHELF), Ids(1)).place(ASKED)
        found: list[bytes] = []
        async with Streams(pool, StreamSettings(heart_beat=0.2)) as streams:
            async for chunk in streams.events(purchase.id, 0):
                found.append(chunk)
                if chunk.startswith(b": heart-beat") and not any(each.startswith(b"id: 1") for each in found):
                    async with pool.transaction() as connection:
                        at = datetime(2026, 11, 23, 4, 30, 0, 250_000, UTC)
                        await store.tell(connection, purchase.id, "step", b'{"step": 1, "time": 1}', at)
                        await store.tell(connection, purchase.id, "result", b'{"result": 2}', at)
            assert streams.open == 0
        return [each for each in found if not each.startswith(b":")]

    assert run(purchases, story) == [
        b"retry: 1000\n\n",
        b'id: 1\nevent: step\ndata: {"step":1,"time":"2026-11-23T04:30:00.250000Z"}\n\n',
        b'id: 2\nevent: result\ndata: {"result":2,"time":"2026-11-23T04:30:00.250000Z"}\n\n',
    ]


def test_streams_are_bounded_and_end_with_their_service(purchases: str) -> None:
    async def story(pool: Pool) -> list[bytes]:
        purchase = await Placing(pool, Shelf(**SHELF), Ids(1)).place(ASKED)
        streams = Streams(pool, StreamSettings(most=1, heart_beat=30))
        async with streams:
            following = streams.events(purchase.id, 0)
            streams.admit()
            assert await anext(following) == b"retry: 1000\n\n"
            with pytest.raises(Failure) as caught:
                streams.admit()
            assert caught.value.status == 503
            rest = asyncio.create_task(_all(following))
            await asyncio.sleep(0)
        return await rest

    assert run(purchases, story) == []


async def _all(chunks: AsyncIterator[bytes]) -> list[bytes]:
    return [chunk async for chunk in chunks]
