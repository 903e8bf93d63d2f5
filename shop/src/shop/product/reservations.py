"""What purchases have taken out of stock, in PostgreSQL: kept per purchase, and put back by it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from shop.chassis.executing import Executes
from shop.product.domain import Reserved, Stock, refusal, reserved

__all__ = ["Refused", "release", "take"]

_ALONE = 7_238_300
"""An advisory lock: stock is moved in one transaction at a time.

A participant does many commands in one transaction, each of which locks the rows of its products: two replicas that did
so at once would wait for each other in circles. One after another they never do; what they share is the row of the most
wanted product anyhow, and a commit."""

_LOCK = "select pg_advisory_xact_lock(%s)"
_STOCKS = "select id, inventory, price, currency from products where id = any(%s) order by id for update"
_TAKE = """
with taken as (
    select * from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as line (product_id, quantity, price)
), moved as (
    update products set inventory = inventory - taken.quantity from taken where products.id = taken.product_id
), kept as (
    insert into reservations (purchase_id, amount, currency, reserved_at) values (%s, %s, %s, %s) returning purchase_id
)
insert into reservation_lines (purchase_id, product_id, quantity, price)
select kept.purchase_id, taken.product_id, taken.quantity, taken.price from kept, taken
"""
_RELEASE = """
update reservations set released_at = %s where purchase_id = %s and released_at is null returning purchase_id
"""
_PUT_BACK = """
update products set inventory = inventory + line.quantity
from reservation_lines as line where line.purchase_id = %s and products.id = line.product_id
"""
_RELEASED = "select product_id, quantity from reservation_lines where purchase_id = %s order by product_id"


class Refused(Exception):  # noqa: N818 - it is no error of the program
    """It cannot be taken, and why."""


async def take(on: Executes, purchase_id: int, wanted: Mapping[int, int], currency: str, now: datetime) -> Reserved:
    """Take so much of each product out of stock for a purchase, all or nothing, at the prices of now. Raises Refused."""
    await on.execute(_LOCK, (_ALONE,))
    rows = await (await on.execute(_STOCKS, (list(wanted),))).fetchall()
    stocks = {id: Stock(inventory, price, priced_in) for id, inventory, price, priced_in in rows}
    reason = refusal(wanted, stocks, currency)
    if reason is not None:
        raise Refused(reason)
    taken = reserved(wanted, stocks, currency)
    lines = taken.lines
    columns = [x.product_id for x in lines], [x.quantity for x in lines], [x.price for x in lines]
    await on.execute(_TAKE, (*columns, purchase_id, taken.amount, currency, now))
    return taken


async def release(on: Executes, purchase_id: int, now: datetime) -> dict[int, int] | None:
    """Put back what was taken for a purchase: how much of each product. None where nothing is taken, or not any more."""
    await on.execute(_LOCK, (_ALONE,))
    if await (await on.execute(_RELEASE, (now, purchase_id))).fetchone() is None:
        return None
    await on.execute(_PUT_BACK, (purchase_id,))
    return dict(await (await on.execute(_RELEASED, (purchase_id,))).fetchall())
