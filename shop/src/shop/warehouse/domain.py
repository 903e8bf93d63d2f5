"""What a shipment is. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from shop.contracts.events import PaymentReceived

__all__ = ["Shipment", "shipped"]


class Shipment(msgspec.Struct, frozen=True):
    """`amount` is the value of what was shipped, in minor units: that of its payment. Times are UTC."""

    id: int
    purchase_id: int
    order_id: int
    payment_id: int
    amount: int
    currency: str
    shipped_at: datetime


def shipped(payment: PaymentReceived, id: int, now: datetime) -> Shipment:
    """The shipment of what a payment is for."""
    return Shipment(
        id=id,
        purchase_id=int(payment.purchase_id),
        order_id=int(payment.order_id),
        payment_id=int(payment.payment_id),
        amount=payment.amount,
        currency=payment.currency,
        shipped_at=now,
    )
