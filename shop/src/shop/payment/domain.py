"""What a payment is. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from shop.contracts.commands import CreatePayment

__all__ = ["Payment", "Status", "taken"]

Status: TypeAlias = Literal["RECEIVED", "REFUNDED"]


class Payment(msgspec.Struct, frozen=True):
    """`amount` is in minor units of the currency; times are UTC. `charge` is what the provider knows it by,
    `version` counts changes."""

    id: int
    purchase_id: int
    order_id: int
    customer_id: int
    amount: int
    currency: str
    status: Status
    charge: str
    received_at: datetime
    refunded_at: datetime | None = None
    version: int = 1


def taken(command: CreatePayment, id: int, charge: str, now: datetime) -> Payment:
    """The payment that a command asked for, once the provider has taken it."""
    return Payment(
        id=id,
        purchase_id=int(command.purchase_id),
        order_id=int(command.order_id),
        customer_id=int(command.customer_id),
        amount=command.amount,
        currency=command.currency,
        status="RECEIVED",
        charge=charge,
        received_at=now,
    )
