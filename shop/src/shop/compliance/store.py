"""Checks in PostgreSQL."""

from __future__ import annotations

from shop.chassis.executing import Executes
from shop.compliance.domain import Check

__all__ = ["add"]

_ADD = """
insert into checks (id, purchase_id, payment_id, amount, currency, verdict, checked_at) values (%s, %s, %s, %s, %s, %s, %s)
on conflict (payment_id) do nothing returning id
"""


async def add(on: Executes, check: Check) -> bool:
    """Keep a check; False where there is one of this payment."""
    row = await (
        await on.execute(
            _ADD,
            (
                check.id, check.purchase_id, check.payment_id, check.amount, check.currency, check.verdict,
                check.checked_at,
            ),
        )
    ).fetchone()  # fmt: skip
    return row is not None
