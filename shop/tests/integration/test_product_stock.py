"""Stock on a real PostgreSQL: whatever is bought at once, twice, late or out of order, no unit is sold twice or lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection

from product_stories import command, stocked, tabled
from sagacity.messaging import Envelope, Message
from sagacity.messaging.postgres.outbox import read_envelope
from sagacity.saga import Participant
from sagacity.saga.messages import replied
from shop.contracts.commands import ProductInventoryUpdated
from shop.contracts.events import InventoryReleased, InventoryReserved
from shop.product import reservations
from shop.product.handlers import participant


@asynccontextmanager
async def participants(dsn: str, many: int = 1) -> AsyncIterator[list[Participant]]:
    """So many replicas of the service, as sagas know them."""
    async with AsyncExitStack() as stack:
        made = [participant(dsn) for _ in range(many)]
        for each in made:
            stack.push_async_callback(each.close)
        yield made


def left(dsn: str) -> dict[int, int]:
    with psycopg.connect(dsn) as connection:
        return dict(connection.execute("select id, inventory from products").fetchall())


def events(dsn: str) -> list[Envelope]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("select topic, envelope from sagacity.outbox order by sequence").fetchall()
    return [Message(topic, read_envelope(envelope)).envelope for topic, envelope in rows if topic == "shop-events"]


def succeeded(replies: Sequence[Envelope]) -> list[bool]:
    return [told.success for each in replies if (told := replied(each)) is not None]


def reason(reply: Envelope) -> Any:
    told = replied(reply)
    return None if told is None else told.reason


def test_64_buyers_of_the_last_items_at_once_oversell_nothing_and_lose_nothing(database: str) -> None:
    async def story() -> None:
        async with participants(database, 4) as replicas:
            asked = [
                replicas[buyer % 4].do([command(buyer, [(ids["tea"], 2), (ids["milk"], 1)][:: 1 if buyer % 2 else -1])])
                for buyer in range(64)
            ]
            sold = [buyer for buyer, replies in enumerate(await asyncio.gather(*asked)) if succeeded(replies) == [True]]
            assert len(sold) == 11
            assert left(database) == {ids["tea"]: 1, ids["milk"]: 19}
            undone = [replicas[buyer % 4].do([command(buyer, direction="undo")]) for buyer in sold[:5]]
            await asyncio.gather(*undone)
            assert left(database) == {ids["tea"]: 11, ids["milk"]: 24}

    with stocked(database, tea=23, milk=30) as ids:
        asyncio.run(story())


def test_64_buyers_of_one_batch_oversell_nothing(database: str) -> None:
    async def story() -> None:
        async with participants(database) as (stock,):
            replies = await stock.do([command(buyer, [(ids["tea"], 1)]) for buyer in range(64)])
            assert sum(succeeded(replies)) == 10
            assert left(database) == {ids["tea"]: 0}

    with stocked(database, tea=10) as ids:
        asyncio.run(story())


def test_replicas_whose_batches_want_the_same_products_in_other_orders_do_not_block_each_other(database: str) -> None:
    async def story() -> None:
        async with participants(database, 2) as (one, other):
            forth = [command(number, [(ids["tea"], 1)] if number % 2 else [(ids["milk"], 1)]) for number in range(40)]
            back = [command(100 + n, [(ids["milk"], 1)] if n % 2 else [(ids["tea"], 1)]) for n in range(40)]
            replies = await asyncio.gather(one.do(forth), other.do(back))
            assert all(succeeded([*replies[0], *replies[1]]))
            assert one.counts["retried"] + other.counts["retried"] == 0
            assert left(database) == {ids["tea"]: 60, ids["milk"]: 60}

    with stocked(database, tea=100, milk=100) as ids:
        asyncio.run(story())


def test_defect_5_a_redelivered_command_is_answered_as_before_and_takes_nothing_more(database: str) -> None:
    async def story() -> None:
        async with participants(database, 2) as (one, other):
            asked = command(1, [(ids["tea"], 3)])
            (first,) = await one.do([asked])
            assert succeeded([first]) == [True]
            again = [*(await one.do([asked])), *(await other.do([asked, asked]))]
            assert again == [first, first, first]
            assert left(database) == {ids["tea"]: 2}  # less than it wants: were it done again, it would fail
            assert [event.type for event in events(database)] == ["InventoryReserved"]

    with stocked(database, tea=5) as ids:
        asyncio.run(story())


def test_defect_7_two_rollbacks_at_once_put_back_once(database: str) -> None:
    async def story() -> None:
        async with participants(database, 2) as (one, other):
            await one.do([command(1, [(ids["tea"], 3)])])
            both = await asyncio.gather(
                one.do([command(1, direction="undo")]), other.do([command(1, direction="undo", attempt=2)])
            )
            assert succeeded([*both[0], *both[1]]) == [True, True]
            assert left(database) == {ids["tea"]: 5}
            assert [event.type for event in events(database)] == ["InventoryReserved", "InventoryReleased"]

    with stocked(database, tea=5) as ids:
        asyncio.run(story())


def test_defect_7_the_store_by_itself_puts_back_once(database: str) -> None:
    """Also without what a participant remembers of its commands."""

    async def story() -> None:
        async def release() -> object:
            async with await AsyncConnection.connect(database) as connection:
                return await reservations.release(connection, 1, datetime.now(UTC))

        async with await AsyncConnection.connect(database) as connection:
            await reservations.take(connection, 1, {ids["tea"]: 3}, "USD", datetime.now(UTC))
        put = await asyncio.gather(*(release() for _ in range(8)))
        assert [each for each in put if each is not None] == [{ids["tea"]: 3}]
        assert left(database) == {ids["tea"]: 5}

    with stocked(database, tea=5) as ids:
        asyncio.run(story())


def test_defect_7_a_rollback_that_overtakes_its_command_leaves_no_orphan(database: str) -> None:
    async def story() -> None:
        async with participants(database) as (stock,):
            undone, late = await stock.do([command(1, direction="undo"), command(1, [(ids["tea"], 3)])])
            assert succeeded([undone, late]) == [True, False]
            assert left(database) == {ids["tea"]: 5}
            assert events(database) == []

    with stocked(database, tea=5) as ids:
        asyncio.run(story())


def test_defect_11_the_last_unit_is_sold_and_one_more_is_not(database: str) -> None:
    async def story() -> None:
        async with participants(database) as (stock,):
            first, second = await stock.do([command(1, [(ids["tea"], 1)]), command(2, [(ids["tea"], 1)])])
            assert succeeded([first, second]) == [True, False]
            assert reason(second) == f"not enough of product {ids['tea']}: 1 wanted, 0 left"
            (absent,) = await stock.do([command(3, [(99, 1)])])
            assert reason(absent) == "there is no product 99"

    with stocked(database, tea=1) as ids:
        asyncio.run(story())


def test_defect_11_a_product_listed_twice_in_one_purchase_is_taken_for_both(database: str) -> None:
    async def story() -> None:
        async with participants(database) as (stock,):
            (reply,) = await stock.do([command(1, [(ids["tea"], 2), (ids["tea"], 3)])])
            told = msgspec.json.decode(reply.data, type=ProductInventoryUpdated)
            assert [(item.quantity, item.price) for item in told.items] == [(5, 100)]
            (refused,) = await stock.do([command(2, [(ids["tea"], 1), (ids["tea"], 1)])])
            assert succeeded([refused]) == [False]
            assert left(database) == {ids["tea"]: 1}

    with stocked(database, tea=6) as ids:
        asyncio.run(story())


def test_all_of_a_purchase_is_taken_or_nothing(database: str) -> None:
    async def story() -> None:
        async with participants(database) as (stock,):
            (reply,) = await stock.do([command(1, [(ids["tea"], 1), (ids["milk"], 9)])])
            assert succeeded([reply]) == [False]
            assert left(database) == {ids["tea"]: 5, ids["milk"]: 5}
            assert events(database) == []

    with stocked(database, tea=5, milk=5) as ids:
        asyncio.run(story())


def test_defects_10_and_13_what_is_charged_is_the_price_of_the_database_and_stays_with_the_reservation(
    database: str,
) -> None:
    async def story() -> None:
        async with participants(database) as (stock,):
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute("update products set price = 777")
                (reply,) = await stock.do([command(1, [(ids["tea"], 2)])])
                told = msgspec.json.decode(reply.data, type=ProductInventoryUpdated)
                assert (told.items[0].price, told.items[0].quantity, told.amount) == (777, 2, 1554)
                connection.execute("update products set price = 1")
                kept = connection.execute("select quantity, price from reservation_lines").fetchall()
                assert kept == [(2, 777)]

    with stocked(database, tea=5) as ids:
        asyncio.run(story())


def test_what_was_reserved_and_released_is_told_in_the_same_transaction(database: str) -> None:
    async def story() -> None:
        async with participants(database) as (stock,):
            await stock.do([command(1, [(ids["tea"], 2)]), command(1, direction="undo")])
            reserved, released = events(database)
            assert (reserved.key, reserved.correlation_id, reserved.source) == ("1", "1", "/shop/product")
            said = msgspec.json.decode(reserved.data, type=InventoryReserved)
            assert (said.amount, said.items[0].product_id) == (200, str(ids["tea"]))
            back = msgspec.json.decode(released.data, type=InventoryReleased)
            assert [(item.product_id, item.quantity) for item in back.items] == [(str(ids["tea"]), 2)]

    with stocked(database, tea=5) as ids:
        asyncio.run(story())


def test_a_currency_that_a_product_is_not_sold_in_is_refused(database: str) -> None:
    async def story() -> None:
        async with participants(database) as (stock,):
            (reply,) = await stock.do([command(1, [(ids["tea"], 2)], currency="EUR")])
            assert reason(reply) == f"product {ids['tea']} is sold in USD, not in EUR"
            assert left(database) == {ids["tea"]: 5}

    with stocked(database, tea=5) as ids:
        asyncio.run(story())


def test_this_program_runs_against_a_schema_that_the_next_one_has_expanded(database: str) -> None:
    """What a later revision may do before the programs are replaced: add columns with defaults, tables, indexes."""

    async def story() -> None:
        async with participants(database) as (stock,):
            replies = await stock.do(
                [command(1, [(ids["tea"], 2)]), command(1, direction="undo"), command(2, [(ids["tea"], 5)])]
            )
            assert succeeded(replies) == [True, True, True]
            assert left(database) == {ids["tea"]: 0}

    with psycopg.connect(tabled(database), autocommit=True) as connection:
        connection.execute("alter table products add column weight bigint, add column origin text not null default ''")
        connection.execute("alter table reservations add column channel text not null default 'web'")
        connection.execute("alter table reservation_lines add column discount bigint not null default 0")
        connection.execute("create index products_origin on products (origin)")
    with stocked(database, tea=5) as ids:
        asyncio.run(story())
