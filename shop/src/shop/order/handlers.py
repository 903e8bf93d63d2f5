"""What the order service does for the saga `purchase`."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sagacity.messaging.meter import Meter
from sagacity.messaging.postgres import outbox
from sagacity.saga import BusinessFailure, Command, Participant, Transaction
from sagacity.saga.tracing import Tracer
from shop.chassis.cache.rows import RowCache
from shop.chassis.ids import Ids, to_public
from shop.chassis.told import told
from shop.contracts import topics
from shop.contracts.commands import CreateOrder, OrderMade, RollbackOrder
from shop.contracts.events import OrderCancelled, OrderCreated
from shop.order import store
from shop.order.domain import Disagreement, written

__all__ = ["TOPICS", "participant"]

TOPICS = (topics.CREATE_ORDER, topics.ROLLBACK_ORDER)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def participant(
    url: str,
    ids: Ids,
    cache: RowCache,
    *,
    clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    meter: Meter | None = None,
    tracer: Tracer | None = None,
) -> Participant:
    """The order service, as sagas know it; `clock` is in microseconds since 1970, UTC."""
    orders = Participant(
        "order", url, source="/shop/order", dead_letters=topics.DEAD_LETTER, clock=clock, meter=meter, tracer=tracer
    )

    @orders.handles("CreateOrder", CreateOrder)
    async def create(command: Command, transaction: Transaction) -> OrderMade:
        asked: CreateOrder = command.data
        now = clock()
        try:
            order = written(asked, ids.new(), _EPOCH + timedelta(microseconds=now))
        except Disagreement as error:
            raise BusinessFailure(str(error)) from error
        await cache.expect(to_public(order.id))
        await store.add(transaction, order)
        order_id = to_public(order.id)
        event = OrderCreated(asked.purchase_id, order_id, asked.customer_id, asked.items, asked.amount, asked.currency)
        message = told(event, service="order", id=f"{command.id}/created", time=now, cause=command.envelope)
        await outbox.send(await transaction.connection(), [message])
        return OrderMade(asked.purchase_id, order_id)

    @orders.compensates("RollbackOrder", RollbackOrder)
    async def cancel(command: Command, transaction: Transaction) -> None:
        asked: RollbackOrder = command.data
        now = clock()
        id = await store.cancel(transaction, int(asked.purchase_id), _EPOCH + timedelta(microseconds=now))
        if id is not None:
            event = OrderCancelled(asked.purchase_id, to_public(id))
            message = told(event, service="order", id=f"{command.id}/cancelled", time=now, cause=command.envelope)
            await outbox.send(await transaction.connection(), [message])

    return orders
