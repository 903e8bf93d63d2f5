"""Orders in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shop.chassis.executing import Executes
from shop.order.domain import Line, Order

__all__ = ["add", "cancel", "find", "of_customer"]

_ADD = """
insert into orders (id, purchase_id, customer_id, amount, currency, status, created_at) values (%s, %s, %s, %s, %s, %s, %s)
"""
_ADD_LINES = """
insert into order_lines (order_id, product_id, quantity, price)
select %s, * from unnest(%s::bigint[], %s::integer[], %s::bigint[])
"""
_CANCEL = """
update orders set status = 'CANCELLED', cancelled_at = %s where purchase_id = %s and status = 'CREATED' returning id
"""
_COLUMNS = "id, purchase_id, customer_id, amount, currency, status, created_at, cancelled_at, version"
_FIND = f"select {_COLUMNS} from orders where id = %s"
_OF_CUSTOMER = f"select {_COLUMNS} from orders where customer_id = %s and id < %s order by id desc limit %s"
_LINES = """
select order_id, product_id, quantity, price from order_lines where order_id = any(%s) order by order_id, product_id
"""


async def add(on: Executes, order: Order) -> None:
    await on.execute(
        _ADD,
        (
            order.id, order.purchase_id, order.customer_id, order.amount, order.currency, order.status, order.created_at,
        ),
    )  # fmt: skip
    lines = order.lines
    await on.execute(
        _ADD_LINES,
        (order.id, [x.product_id for x in lines], [x.quantity for x in lines], [x.price for x in lines]),
    )


async def cancel(on: Executes, purchase_id: int, now: datetime) -> int | None:
    """Cancel the order of a purchase; its id, None where there is none that stands."""
    row = await (await on.execute(_CANCEL, (now, purchase_id))).fetchone()
    return None if row is None else row[0]


async def find(on: Executes, id: int) -> Order | None:
    found = await _read(on, _FIND, (id,))
    return found[0] if found else None


async def of_customer(on: Executes, customer_id: int, before: int, most: int) -> Sequence[Order]:
    """A customer's orders whose ids are below one, the newest first, so many at most."""
    return await _read(on, _OF_CUSTOMER, (customer_id, before, most))


async def _read(on: Executes, query: str, parameters: Sequence[object]) -> Sequence[Order]:
    rows = await (await on.execute(query, parameters)).fetchall()
    lines: dict[int, list[Line]] = {row[0]: [] for row in rows}
    if rows:
        for order, *line in await (await on.execute(_LINES, (list(lines),))).fetchall():
            lines[order].append(Line(*line))
    return [
        Order(
            id=id, purchase_id=purchase, customer_id=customer, lines=tuple(lines[id]), amount=amount, currency=currency,
            status=status, created_at=created, cancelled_at=cancelled, version=version,
        )
        for id, purchase, customer, amount, currency, status, created, cancelled, version in rows
    ]  # fmt: skip
