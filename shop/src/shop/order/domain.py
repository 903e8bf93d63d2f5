"""What an order is. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from shop.contracts.commands import CreateOrder, PricedItem

__all__ = ["Disagreement", "Line", "Order", "Status", "written"]

Status: TypeAlias = Literal["CREATED", "CANCELLED"]


class Disagreement(ValueError):  # noqa: N818 - it says what is wrong with the amount
    """The amount of an order is not the sum of its lines."""


class Line(msgspec.Struct, frozen=True):
    """So many units of a product, at what one of them cost when they were reserved: never today's price."""

    product_id: int
    quantity: int
    price: int


class Order(msgspec.Struct, frozen=True):
    """`amount` and prices are in minor units of the currency; times are UTC. `version` counts changes."""

    id: int
    purchase_id: int
    customer_id: int
    lines: tuple[Line, ...]
    amount: int
    currency: str
    status: Status
    created_at: datetime
    cancelled_at: datetime | None = None
    version: int = 1


def written(command: CreateOrder, id: int, now: datetime) -> Order:
    """The order that a command asks for. Raises Disagreement where its amount is not the sum of price times quantity."""
    total = sum(item.price * item.quantity for item in command.items)
    if total != command.amount:
        raise Disagreement(f"the items cost {total} {command.currency} together, and the amount says {command.amount}")
    return Order(
        id=id,
        purchase_id=int(command.purchase_id),
        customer_id=int(command.customer_id),
        lines=tuple(_line(item) for item in command.items),
        amount=command.amount,
        currency=command.currency,
        status="CREATED",
        created_at=now,
    )


def _line(item: PricedItem) -> Line:
    return Line(int(item.product_id), item.quantity, item.price)
