"""Payments over HTTP: read, and only by the customer whose they are."""

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
from shop.contracts.commands import Currency, Money
from shop.payment import store
from shop.payment.domain import Payment, Status

__all__ = ["ROUTES", "PaymentBody", "PaymentsBody", "loads"]


class PaymentBody(msgspec.Struct, frozen=True):
    """A payment. `amount` is in minor units; times are UTC."""

    id: PublicId
    purchase_id: PublicId
    order_id: PublicId
    customer_id: PublicId
    amount: Money
    currency: Currency
    status: Status
    received_at: datetime
    refunded_at: datetime | None


class PaymentsBody(msgspec.Struct, frozen=True):
    """Payments: one, or none."""

    payments: list[PaymentBody]


_read = msgspec.json.Decoder(PaymentBody).decode


@get(
    "/api/v1/payments/{payment_id:str}",
    guards=[signed_in],
    security=BEARER,
    summary="One payment",
    responses=may_answer(404),
)
async def payment(
    payment_id: FromPath[str], caller: NamedDependency[Caller], cache: NamedDependency[RowCache]
) -> PaymentBody:
    """404 where there is no such payment, 403 where it is somebody else's."""
    kept = await cache.read(to_public(id_in_path(payment_id, "payment")))
    if kept.value is None:
        raise Failure(404, "there is no such payment")
    found = _read(kept.value)
    if found.customer_id != to_public(caller.customer_id):
        raise Failure(403, "this payment is somebody else's")
    return found


@get("/api/v1/payments", guards=[signed_in], security=BEARER, summary="The payment of a purchase")
async def payments(
    caller: NamedDependency[Caller],
    pool: NamedDependency[Pool],
    purchase_id: Annotated[PublicId, QueryParameter(description="what was paid for")],
) -> PaymentsBody:
    """None where nothing has been paid, or where it is not the caller's."""
    id = id_in_query("purchase_id", purchase_id)
    async with pool.connection() as connection:
        found = None if id is None else await store.of_purchase(connection, id)
    return PaymentsBody([] if found is None or found.customer_id != caller.customer_id else [_body(found)])


ROUTES = (payment, payments)


def loads(pool: Pool) -> Load:
    """Reads one by its public id, as it is shown, for the cache."""
    return loading(pool, store.find, _body)


def _body(found: Payment) -> PaymentBody:
    return PaymentBody(
        id=to_public(found.id),
        purchase_id=to_public(found.purchase_id),
        order_id=to_public(found.order_id),
        customer_id=to_public(found.customer_id),
        amount=found.amount,
        currency=found.currency,
        status=found.status,
        received_at=found.received_at,
        refunded_at=found.refunded_at,
    )
