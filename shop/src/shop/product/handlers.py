"""What the product service does for the saga `purchase`: take units out of stock, and put them back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sagacity.messaging.meter import Meter
from sagacity.messaging.postgres import outbox
from sagacity.saga import BusinessFailure, Command, Participant, Transaction
from sagacity.saga.tracing import Tracer
from shop.chassis.ids import to_public
from shop.chassis.told import told
from shop.contracts import topics
from shop.contracts.commands import (
    Item,
    PricedItem,
    ProductInventoryUpdated,
    RollbackProductInventory,
    UpdateProductInventory,
)
from shop.contracts.events import InventoryReleased, InventoryReserved
from shop.product import reservations
from shop.product.domain import summed

__all__ = ["TOPICS", "participant"]

TOPICS = (topics.UPDATE_PRODUCT_INVENTORY, topics.ROLLBACK_PRODUCT_INVENTORY)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def participant(
    url: str,
    *,
    clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    meter: Meter | None = None,
    tracer: Tracer | None = None,
) -> Participant:
    """The product service, as sagas know it; `clock` is in microseconds since 1970, UTC."""
    stock = Participant(
        "product", url, source="/shop/product", dead_letters=topics.DEAD_LETTER, clock=clock, meter=meter, tracer=tracer
    )

    @stock.handles("UpdateProductInventory", UpdateProductInventory)
    async def take(command: Command, transaction: Transaction) -> ProductInventoryUpdated:
        asked: UpdateProductInventory = command.data
        now = clock()
        wanted = summed((int(item.product_id), item.quantity) for item in asked.items)
        if not wanted:
            raise BusinessFailure("there is nothing in this purchase")
        connection = await transaction.connection()
        async with connection.pipeline():  # what need not be waited for goes together
            try:
                taken = await reservations.take(connection, int(asked.purchase_id), wanted, asked.currency, _when(now))
            except reservations.Refused as refused:
                raise BusinessFailure(str(refused)) from refused
            items = tuple(PricedItem(to_public(line.product_id), line.quantity, line.price) for line in taken.lines)
            event = InventoryReserved(asked.purchase_id, items, taken.amount, taken.currency)
            message = told(event, service="product", id=f"{command.id}/reserved", time=now, cause=command.envelope)
            await outbox.send(connection, [message])
        return ProductInventoryUpdated(asked.purchase_id, items, taken.amount, taken.currency)

    @stock.compensates("RollbackProductInventory", RollbackProductInventory)
    async def put_back(command: Command, transaction: Transaction) -> None:
        asked: RollbackProductInventory = command.data
        now = clock()
        put = await reservations.release(transaction, int(asked.purchase_id), _when(now))
        if put is not None:
            items = tuple(Item(to_public(product), quantity) for product, quantity in put.items())
            event = InventoryReleased(asked.purchase_id, items)
            message = told(event, service="product", id=f"{command.id}/released", time=now, cause=command.envelope)
            await outbox.send(await transaction.connection(), [message])

    return stock


def _when(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
