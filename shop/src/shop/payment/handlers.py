"""What the payment service does for the saga `purchase`."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sagacity.messaging.meter import Meter
from sagacity.messaging.postgres import outbox
from sagacity.saga import BusinessFailure, Command, Participant, Transaction
from sagacity.saga.tracing import Tracer
from shop.chassis.cache.rows import RowCache
from shop.chassis.ids import Ids, to_public
from shop.chassis.told import told
from shop.contracts import topics
from shop.contracts.commands import CreatePayment, PaymentMade, RollbackPayment
from shop.contracts.events import PaymentReceived, PaymentRefunded
from shop.payment import store
from shop.payment.domain import taken
from shop.payment.provider import Declined, Provider, Unreachable

__all__ = ["TOPICS", "participant"]

TOPICS = (topics.CREATE_PAYMENT, topics.ROLLBACK_PAYMENT)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def participant(
    url: str,
    ids: Ids,
    provider: Provider,
    cache: RowCache,
    *,
    clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    meter: Meter | None = None,
    tracer: Tracer | None = None,
) -> Participant:
    """The payment service, as sagas know it; `clock` is in microseconds since 1970, UTC."""
    payments = Participant(
        "payment", url, source="/shop/payment", dead_letters=topics.DEAD_LETTER, clock=clock, meter=meter, tracer=tracer
    )

    @payments.handles("CreatePayment", CreatePayment)
    async def create(command: Command, transaction: Transaction) -> PaymentMade:
        asked: CreatePayment = command.data
        try:
            charge = await provider.charge(asked.purchase_id, asked.amount, asked.currency)
        except Declined as error:
            raise BusinessFailure(str(error)) from error
        except Unreachable as error:
            raise BusinessFailure(f"the payment provider does not answer: {error}", transient=True) from error
        now = clock()
        payment = taken(asked, ids.new(), charge, _EPOCH + timedelta(microseconds=now))
        await cache.expect(to_public(payment.id))
        try:
            await store.add(transaction, payment)
        except store.GivenBackError as error:
            raise BusinessFailure(str(error)) from error
        payment_id = to_public(payment.id)
        event = PaymentReceived(
            asked.purchase_id, payment_id, asked.order_id, asked.customer_id, asked.amount, asked.currency
        )
        message = told(event, service="payment", id=f"{command.id}/received", time=now, cause=command.envelope)
        await outbox.send(await transaction.connection(), [message])
        return PaymentMade(asked.purchase_id, payment_id)

    @payments.compensates("RollbackPayment", RollbackPayment)
    async def refund(command: Command, transaction: Transaction) -> None:
        asked: RollbackPayment = command.data
        payment = await store.standing(transaction, int(asked.purchase_id))
        try:
            await provider.refund(asked.purchase_id)
        except Unreachable as error:
            raise BusinessFailure(f"the payment provider does not answer: {error}", transient=True) from error
        if payment is None:
            return
        now = clock()
        await store.refund(transaction, payment.id, _EPOCH + timedelta(microseconds=now))
        event = PaymentRefunded(asked.purchase_id, to_public(payment.id), payment.amount, payment.currency)
        message = told(event, service="payment", id=f"{command.id}/refunded", time=now, cause=command.envelope)
        await outbox.send(await transaction.connection(), [message])

    return payments
