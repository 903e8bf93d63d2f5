"""Domain events: what has happened in the shop, told in the topic `shop-events` by the service in which it happened.

The type of an event's envelope is the name of its struct, its source `/shop/<service>`, its key, subject and correlation id
the purchase's id, which is the case that it belongs to. The envelope's time is when it happened. Ids and money are written
as in `shop.contracts.commands`; every field is always written.

| event | told by | when |
|---|---|---|
| OrderPlaced | purchase | a customer has asked for a purchase |
| InventoryReserved, InventoryReleased | product | units were taken out of stock, and put back |
| OrderCreated, OrderCancelled | order | the order was written, and cancelled |
| PaymentReceived, PaymentRefunded | payment | it was charged, and paid back |
| ItemShipped | warehouse | a payment was received, and the goods have left |
| ComplianceCheckDone | compliance | a payment was received, and looked at |
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from shop.contracts.commands import Currency, Id, Item, Money, PricedItem

__all__ = [
    "ComplianceCheckDone",
    "DomainEvent",
    "InventoryReleased",
    "InventoryReserved",
    "ItemShipped",
    "OrderCancelled",
    "OrderCreated",
    "OrderPlaced",
    "PaymentReceived",
    "PaymentRefunded",
]


class OrderPlaced(msgspec.Struct, frozen=True):
    """`quoted` is the sum of the prices that were told when the purchase was asked for; what is charged is read later."""

    purchase_id: Id
    customer_id: Id
    items: tuple[Item, ...]
    quoted: Money
    currency: Currency


class InventoryReserved(msgspec.Struct, frozen=True):
    """`amount` is the sum of price times quantity: what is to be charged."""

    purchase_id: Id
    items: tuple[PricedItem, ...]
    amount: Money
    currency: Currency


class InventoryReleased(msgspec.Struct, frozen=True):
    """What InventoryReserved told of was put back, all of it."""

    purchase_id: Id
    items: tuple[Item, ...]


class OrderCreated(msgspec.Struct, frozen=True):
    purchase_id: Id
    order_id: Id
    customer_id: Id
    items: tuple[PricedItem, ...]
    amount: Money
    currency: Currency


class OrderCancelled(msgspec.Struct, frozen=True):
    purchase_id: Id
    order_id: Id


class PaymentReceived(msgspec.Struct, frozen=True):
    purchase_id: Id
    payment_id: Id
    order_id: Id
    customer_id: Id
    amount: Money
    currency: Currency


class PaymentRefunded(msgspec.Struct, frozen=True):
    purchase_id: Id
    payment_id: Id
    amount: Money
    currency: Currency


class ItemShipped(msgspec.Struct, frozen=True):
    """`amount` is the value of what was shipped, as insured: that of the payment."""

    purchase_id: Id
    shipment_id: Id
    order_id: Id
    amount: Money
    currency: Currency


class ComplianceCheckDone(msgspec.Struct, frozen=True):
    """`amount` is that of the payment that was looked at."""

    purchase_id: Id
    check_id: Id
    payment_id: Id
    amount: Money
    currency: Currency
    verdict: Literal["passed", "flagged"]


DomainEvent: TypeAlias = (
    OrderPlaced
    | InventoryReserved
    | InventoryReleased
    | OrderCreated
    | OrderCancelled
    | PaymentReceived
    | PaymentRefunded
    | ItemShipped
    | ComplianceCheckDone
)
"""Any of them."""
