"""Payments in PostgreSQL."""

from __future__ import annotations

from datetime import datetime

from shop.chassis.executing import Executes
from shop.payment.domain import Payment

__all__ = ["GivenBackError", "add", "find", "of_purchase", "refund", "standing"]

_COLUMNS = "id, purchase_id, order_id, customer_id, amount, currency, status, charge, received_at, refunded_at, version"
_ADD = """
insert into payments (id, purchase_id, order_id, customer_id, amount, currency, status, charge, received_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_KNOWN = "delete from charges where reference = %s returning given_back_at"
_STANDING = f"select {_COLUMNS} from payments where purchase_id = %s and status = 'RECEIVED' for update"
_REFUND = "update payments set status = 'REFUNDED', refunded_at = %s where id = %s"
_OF_PURCHASE = f"select {_COLUMNS} from payments where purchase_id = %s"
_FIND = f"select {_COLUMNS} from payments where id = %s"


class GivenBackError(Exception):
    """A charge does not stand any more. Nothing is to be kept of the transaction."""


async def add(on: Executes, payment: Payment) -> None:
    """A payment that was made; its charge is in doubt no more. Raises GivenBackError where it was given back meanwhile."""
    await on.execute(
        _ADD,
        (
            payment.id, payment.purchase_id, payment.order_id, payment.customer_id, payment.amount, payment.currency,
            payment.status, payment.charge, payment.received_at,
        ),
    )  # fmt: skip
    known = await (await on.execute(_KNOWN, (str(payment.purchase_id),))).fetchone()
    if known is not None and known[0] is not None:
        raise GivenBackError("it took so long to note this charge that it was given back")


async def standing(on: Executes, purchase_id: int) -> Payment | None:
    """The payment of a purchase, unless it is refunded; locked until the transaction ends."""
    return await _one(on, _STANDING, purchase_id)


async def refund(on: Executes, id: int, now: datetime) -> None:
    await on.execute(_REFUND, (now, id))


async def find(on: Executes, id: int) -> Payment | None:
    return await _one(on, _FIND, id)


async def of_purchase(on: Executes, purchase_id: int) -> Payment | None:
    """The payment of a purchase, refunded or not."""
    return await _one(on, _OF_PURCHASE, purchase_id)


async def _one(on: Executes, query: str, id: int) -> Payment | None:
    row = await (await on.execute(query, (id,))).fetchone()
    if row is None:
        return None
    id, purchase, order, customer, amount, currency, status, charge, received, refunded, version = row
    return Payment(
        id=id, purchase_id=purchase, order_id=order, customer_id=customer, amount=amount, currency=currency, status=status,
        charge=charge, received_at=received, refunded_at=refunded, version=version,
    )  # fmt: skip
