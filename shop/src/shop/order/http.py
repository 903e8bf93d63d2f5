"""Orders over HTTP: read, and only by the customer whose they are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from shop.chassis.access import BEARER, Caller, signed_in
from shop.chassis.cache.rows import Load, RowCache, loading
from shop.chassis.database import Pool
from shop.chassis.describing import may_answer
from shop.chassis.failures import Failure
from shop.chassis.http import id_in_path, id_in_query
from shop.chassis.ids import PublicId, to_public
from shop.contracts.commands import Currency, Money, Quantity
from shop.order import store
from shop.order.domain import Order, Status

__all__ = ["ROUTES", "OrderBody", "OrderItem", "OrderPage", "loads"]

_ALL = (1 << 63) - 1


class OrderItem(msgspec.Struct, frozen=True):
    """`price` is that of one unit when it was bought, in minor units."""

    product_id: PublicId
    quantity: Quantity
    price: Money


class OrderBody(msgspec.Struct, frozen=True):
    """An order. `amount` is the sum of price times quantity, in minor units; times are UTC."""

    id: PublicId
    purchase_id: PublicId
    customer_id: PublicId
    items: list[OrderItem]
    amount: Money
    currency: Currency
    status: Status
    created_at: datetime
    cancelled_at: datetime | None


_read = msgspec.json.Decoder(OrderBody).decode


class OrderPage(msgspec.Struct, frozen=True):
    """Orders, the newest first. `next` is what to give as `after` for those that follow; null where there are none."""

    orders: list[OrderBody]
    next: PublicId | None


@get("/api/v1/orders/{order_id:str}", guards=[signed_in], security=BEARER, summary="One order", responses=may_answer(404))
async def order(order_id: FromPath[str], caller: NamedDependency[Caller], cache: NamedDependency[RowCache]) -> OrderBody:
    """404 where there is no such order, 403 where it is somebody else's."""
    kept = await cache.read(to_public(id_in_path(order_id, "order")))
    if kept.value is None:
        raise Failure(404, "there is no such order")
    found = _read(kept.value)
    if found.customer_id != to_public(caller.customer_id):
        raise Failure(403, "this order is somebody else's")
    return found


@get("/api/v1/orders", guards=[signed_in], security=BEARER, summary="The caller's orders, the newest first")
async def orders(
    caller: NamedDependency[Caller],
    pool: NamedDependency[Pool],
    after: Annotated[PublicId | None, QueryParameter(description="what `next` of the page before says")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100, description="how many, at most")] = 20,
) -> OrderPage:
    before = id_in_query("after", after)
    async with pool.connection() as connection:
        found = await store.of_customer(connection, caller.customer_id, _ALL if before is None else before, limit + 1)
    shown = found[:limit]
    return OrderPage([_body(each) for each in shown], to_public(shown[-1].id) if len(found) > limit else None)


ROUTES = (order, orders)


def loads(pool: Pool) -> Load:
    """Reads one by its public id, as it is shown, for the cache."""
    return loading(pool, store.find, _body)


def _body(order: Order) -> OrderBody:
    return OrderBody(
        id=to_public(order.id),
        purchase_id=to_public(order.purchase_id),
        customer_id=to_public(order.customer_id),
        items=[OrderItem(to_public(line.product_id), line.quantity, line.price) for line in order.lines],
        amount=order.amount,
        currency=order.currency,
        status=order.status,
        created_at=order.created_at,
        cancelled_at=order.cancelled_at,
    )
