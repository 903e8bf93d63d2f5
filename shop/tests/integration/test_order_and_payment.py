"""Order and payment as participants, each on a real database: whatever comes twice, late or out of order stands once or not
at all, and what is told is told with the effect."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

import shop.order.wiring
import shop.payment.wiring
from sagacity.messaging import Envelope
from sagacity.messaging.postgres.outbox import read_envelope
from sagacity.saga import Participant
from sagacity.saga.messages import replied
from shop.chassis.cache.rows import Uncached
from shop.chassis.ids import Ids
from shop.chassis.migrating import migrate_now
from shop.contracts import topics
from shop.contracts.commands import (
    CreateOrder,
    CreatePayment,
    OrderMade,
    PricedItem,
    RollbackOrder,
    RollbackPayment,
)
from shop.order.handlers import participant as orders_of
from shop.payment.handlers import participant as payments_of
from shop.payment.provider import Unreachable
from shop.payment.ruled import RuledProvider


async def nothing(_: str) -> None:
    """There is none of any key."""


UNCACHED = Uncached(nothing)
ITEMS = (PricedItem("11", 4, 450), PricedItem("12", 5, 1200))
CREATE = CreateOrder("7", "3", ITEMS, 7800, "USD")
PAY = CreatePayment("7", "3", "21", 7800, "USD")


def command(data: msgspec.Struct, step: str, direction: str = "do", attempt: int = 1) -> Envelope:
    return Envelope(
        id=f"7/{step}/{direction}/{attempt}",
        type=type(data).__name__,
        source="/shop/orchestrator",
        time=1,
        key="7",
        data=msgspec.json.encode(data),
        correlation_id="7",
        reply_to=topics.REPLY,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        extensions=(
            ("sagaid", "7"), ("saganame", "purchase"), ("sagaversion", "1"), ("sagastep", step),
            ("sagadirection", direction), ("sagaattempt", str(attempt)),
        ),
    )  # fmt: skip


CREATE_ORDER, ROLLBACK_ORDER = command(CREATE, "CREATE_ORDER"), command(RollbackOrder("7"), "CREATE_ORDER", "undo")
CREATE_PAYMENT, ROLLBACK_PAYMENT = command(PAY, "CREATE_PAYMENT"), command(RollbackPayment("7"), "CREATE_PAYMENT", "undo")


def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def told(dsn: str) -> list[Envelope]:
    """What waits in the outbox, but for replies."""
    query = f"select envelope from sagacity.outbox where topic = '{topics.SHOP_EVENTS}' order by sequence"
    return [read_envelope(envelope) for (envelope,) in rows(dsn, query)]


def outcomes(replies: Sequence[Envelope]) -> list[bool]:
    return [reply.success for reply in map(replied, replies) if reply is not None]


def done(participant: Participant, *commands: Envelope) -> Sequence[Envelope]:
    async def story() -> Sequence[Envelope]:
        try:
            return [reply for each in commands for reply in await participant.do([each])]
        finally:
            await participant.close()

    return asyncio.run(story())


@pytest.fixture
def orders(database: str) -> str:
    migrate_now(database, shop.order.wiring.REVISIONS)
    return database


@pytest.fixture
def payments(database: str) -> str:
    migrate_now(database, shop.payment.wiring.REVISIONS)
    return database


def test_an_order_is_written_with_its_lines_answered_and_told_of(orders: str) -> None:
    [reply] = done(orders_of(orders, Ids(1), UNCACHED), CREATE_ORDER)
    [(id, amount, status)] = rows(orders, "select id, amount, status from orders")
    assert msgspec.json.decode(reply.data, type=OrderMade) == OrderMade("7", str(id))
    assert (amount, status) == (7800, "CREATED")
    assert rows(orders, "select product_id, quantity, price from order_lines order by 1") == [(11, 4, 450), (12, 5, 1200)]
    [event] = told(orders)
    assert (event.type, event.key, event.correlation_id, event.source) == ("OrderCreated", "7", "7", "/shop/order")
    assert event.traceparent == CREATE_ORDER.traceparent


def test_an_order_whose_amount_is_not_the_sum_of_its_lines_is_refused(orders: str) -> None:
    wrong = command(msgspec.structs.replace(CREATE, amount=7801), "CREATE_ORDER")
    assert outcomes(done(orders_of(orders, Ids(1), UNCACHED), wrong)) == [False]
    assert (rows(orders, "select * from orders"), told(orders)) == ([], [])


def test_a_command_that_comes_twice_is_answered_the_same_and_done_once(orders: str) -> None:
    """Defect 5: the second time it was answered by a failure."""
    first, second = done(orders_of(orders, Ids(1), UNCACHED), CREATE_ORDER, CREATE_ORDER)
    assert first == second
    assert rows(orders, "select count(*) from orders") == [(1,)]
    assert len(told(orders)) == 1


def test_a_rollback_that_overtakes_its_command_leaves_no_orphan(orders: str) -> None:
    """Defect 7: the command came after its rollback, and its order stood."""
    assert outcomes(done(orders_of(orders, Ids(1), UNCACHED), ROLLBACK_ORDER, CREATE_ORDER)) == [True, False]
    assert (rows(orders, "select * from orders"), told(orders)) == ([], [])


def test_of_two_rollbacks_at_once_one_cancels(orders: str) -> None:
    """Defect 7: two rollbacks at once put the stock back twice."""
    done(orders_of(orders, Ids(1), UNCACHED), CREATE_ORDER)
    replicas = [orders_of(orders, Ids(worker), UNCACHED) for worker in (1, 2)]

    async def rolled(replica: Participant) -> None:
        assert outcomes(await replica.do([ROLLBACK_ORDER])) == [True]

    async def story() -> None:
        await asyncio.gather(*map(rolled, replicas))
        for each in replicas:
            await each.close()

    asyncio.run(story())
    assert rows(orders, "select status from orders") == [("CANCELLED",)]
    assert [each.type for each in told(orders)] == ["OrderCreated", "OrderCancelled"]


def test_a_rollback_without_anything_to_roll_back_succeeds(orders: str) -> None:
    """Defect 1: a rollback crashed the service, and was redelivered for ever."""
    assert outcomes(done(orders_of(orders, Ids(1), UNCACHED), ROLLBACK_ORDER, ROLLBACK_ORDER)) == [True, True]


def test_a_payment_is_received_and_refunded(payments: str) -> None:
    participant = payments_of(payments, Ids(1), RuledProvider(), UNCACHED)
    assert outcomes(done(participant, CREATE_PAYMENT, ROLLBACK_PAYMENT)) == [True, True]
    assert rows(payments, "select amount, currency, status, charge from payments") == [(7800, "USD", "REFUNDED", "charge-7")]
    assert [each.type for each in told(payments)] == ["PaymentReceived", "PaymentRefunded"]


def test_a_payment_that_is_declined_is_no_payment_and_nobody_is_told_of_one(payments: str) -> None:
    """Defect 8: success was told before the payment was made."""
    replies = done(payments_of(payments, Ids(1), RuledProvider(limit=7799), UNCACHED), CREATE_PAYMENT)
    [reply] = [each for each in map(replied, replies) if each is not None]
    assert (reply.success, reply.transient) == (False, False)
    assert "above the limit" in (reply.reason or "")
    assert (rows(payments, "select * from payments"), told(payments)) == ([], [])


class Silent:
    """A provider that does not answer."""

    async def charge(self, reference: str, amount: int, currency: str) -> str:
        raise Unreachable(f"{reference} {amount} {currency}")

    async def refund(self, charge: str) -> None:
        raise Unreachable(charge)


def test_a_provider_that_does_not_answer_is_asked_again(payments: str) -> None:
    [reply] = map(replied, done(payments_of(payments, Ids(1), Silent(), UNCACHED), CREATE_PAYMENT))
    assert reply is not None
    assert (reply.success, reply.transient) == (False, True)


@pytest.mark.parametrize("service", ["order", "payment", "purchase", "orchestrator", "warehouse", "compliance"])
def test_revisions_can_be_run_again(database: str, service: str) -> None:
    revisions = Path(shop.order.wiring.__file__).parents[1] / service / "migrations"
    migrate_now(database, revisions)
    migrate_now(database, revisions)
    assert rows(database, "select count(*) from sagacity.outbox") == [(0,)]
