"""Shipments in PostgreSQL."""

from __future__ import annotations

from shop.chassis.executing import Executes
from shop.warehouse.domain import Shipment

__all__ = ["add"]

_ADD = """
insert into shipments (id, purchase_id, order_id, payment_id, amount, currency, shipped_at)
values (%s, %s, %s, %s, %s, %s, %s)
on conflict (payment_id) do nothing returning id
"""


async def add(on: Executes, shipment: Shipment) -> bool:
    """Keep a shipment; False where there is one of this payment."""
    row = await (
        await on.execute(
            _ADD,
            (
                shipment.id, shipment.purchase_id, shipment.order_id, shipment.payment_id, shipment.amount,
                shipment.currency, shipment.shipped_at,
            ),
        )
    ).fetchone()  # fmt: skip
    return row is not None
