"""What a check is. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from shop.contracts.events import PaymentReceived

__all__ = ["Check", "Verdict", "checked"]

Verdict: TypeAlias = Literal["passed", "flagged"]


class Check(msgspec.Struct, frozen=True):
    """`amount` is that of the payment that was looked at, in minor units. Times are UTC."""

    id: int
    purchase_id: int
    payment_id: int
    amount: int
    currency: str
    verdict: Verdict
    checked_at: datetime


def checked(payment: PaymentReceived, id: int, now: datetime, flag_above: int | None) -> Check:
    """A payment, looked at: those above a threshold are flagged."""
    return Check(
        id=id,
        purchase_id=int(payment.purchase_id),
        payment_id=int(payment.payment_id),
        amount=payment.amount,
        currency=payment.currency,
        verdict="flagged" if flag_above is not None and payment.amount > flag_above else "passed",
        checked_at=now,
    )
