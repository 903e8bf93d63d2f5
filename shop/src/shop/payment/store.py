"""Payments in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shop.chassis.executing import Executes
from shop.payment.domain import Payment

__all__ = ["add", "find", "of_purchases", "refund", "standing"]

_COLUMNS = "id, purchase_id, order_id, customer_id, amount, currency, status, charge, received_at, refunded_at, version"
_ADD = """
insert into payments (id, purchase_id, order_id, customer_id, amount, currency, status, charge, received_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_KNOWN = "delete from charges where reference = %s"
_STANDING = f"select {_COLUMNS} from payments where purchase_id = %s and status = 'RECEIVED' for update"
_REFUND = "update payments set status = 'REFUNDED', refunded_at = %s where id = %s"
_FIND = f"select {_COLUMNS} from payments where id = %s"
_OF_PURCHASES = f"select {_COLUMNS} from payments where purchase_id = any(%s) and customer_id = %s order by id desc"


async def add(on: Executes, payment: Payment) -> None:
    """A payment that was made; its charge is in doubt no more."""
    await on.execute(
        _ADD,
        (
            payment.id, payment.purchase_id, payment.order_id, payment.customer_id, payment.amount, payment.currency,
            payment.status, payment.charge, payment.received_at,
        ),
    )  # fmt: skip
    await on.execute(_KNOWN, (str(payment.purchase_id),))


async def standing(on: Executes, purchase_id: int) -> Payment | None:
    """The payment of a purchase, unless it is refunded; locked until the transaction ends."""
    return await _one(on, _STANDING, purchase_id)


async def refund(on: Executes, id: int, now: datetime) -> None:
    await on.execute(_REFUND, (now, id))


async def find(on: Executes, id: int) -> Payment | None:
    return await _one(on, _FIND, id)


async def of_purchases(on: Executes, customer_id: int, purchases: Sequence[int]) -> Sequence[Payment]:
    """A customer's payments of some purchases, the newest first."""
    rows = await (await on.execute(_OF_PURCHASES, (list(purchases), customer_id))).fetchall()
    return [_payment(row) for row in rows]


async def _one(on: Executes, query: str, id: int) -> Payment | None:
    row = await (await on.execute(query, (id,))).fetchone()
    return None if row is None else _payment(row)


def _payment(row: Sequence[Any]) -> Payment:
    id, purchase, order, customer, amount, currency, status, charge, received, refunded, version = row
    return Payment(
        id=id, purchase_id=purchase, order_id=order, customer_id=customer, amount=amount, currency=currency, status=status,
        charge=charge, received_at=received, refunded_at=refunded, version=version,
    )  # fmt: skip
