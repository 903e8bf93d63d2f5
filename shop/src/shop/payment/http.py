"""Payments over HTTP: read, and only by the customer whose they are."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from shop.chassis.access import BEARER, Caller, signed_in
from shop.chassis.cache.rows import Load, RowCache
from shop.chassis.cache.source import Kept
from shop.chassis.database import Pool
from shop.chassis.failures import Failure
from shop.chassis.http import id_in_path
from shop.chassis.ids import PublicId, from_public, to_public
from shop.contracts.commands import Currency, Money
from shop.payment import store
from shop.payment.domain import Payment, Status

__all__ = ["ROUTES", "PaymentBody", "loading"]


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


_read = msgspec.json.Decoder(PaymentBody).decode


@get("/api/v1/payments/{payment_id:str}", guards=[signed_in], security=BEARER, summary="One payment")
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


ROUTES = (payment,)


def loading(pool: Pool) -> Load:
    """Reads a payment by its public id, as it is shown, for the cache."""

    async def load(key: str) -> Kept | None:
        id = from_public(key)
        if id is None:
            return None
        async with pool.connection() as connection:
            found = await store.find(connection, id)
        return None if found is None else Kept(found.version, msgspec.json.encode(_body(found)))

    return load


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
