"""What the warehouse does when it hears of a payment."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from shop.chassis.database import Connection
from shop.chassis.faults import Faults
from shop.chassis.ids import Ids, to_public
from shop.chassis.listening import Heard, Listener
from shop.chassis.planting import confess, tell
from shop.contracts import topics
from shop.contracts.events import ItemShipped, PaymentReceived
from shop.warehouse import store
from shop.warehouse.domain import shipped

__all__ = ["listener"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def listener(
    url: str,
    ids: Ids,
    faults: Faults,
    *,
    clock: Callable[[], int] = lambda: time.time_ns() // 1000,
) -> Listener:
    """Ships what was paid for; `clock` is in microseconds since 1970, UTC."""
    listening = Listener("warehouse", url, dead_letters=topics.DEAD_LETTER, clock=clock)

    @listening.on("PaymentReceived", PaymentReceived)
    async def ship(heard: Heard, connection: Connection) -> None:
        payment: PaymentReceived = heard.data
        planted = faults.of(payment.purchase_id)
        now = clock()
        shipment = shipped(payment, ids.new(), _EPOCH + timedelta(microseconds=now))
        if "drop" not in planted and not await store.add(connection, shipment):
            return
        confess("warehouse", payment.purchase_id, planted)
        if "drop" in planted:
            return
        amount = payment.amount + 1 if "wrong_amount" in planted else payment.amount
        event = ItemShipped(payment.purchase_id, to_public(shipment.id), payment.order_id, amount, payment.currency)
        await tell(
            connection,
            event,
            service="warehouse",
            id=f"{shipment.id}/shipped",
            time=now,
            cause=heard.envelope,
            planted=planted,
            late_by=faults.late_by,
        )

    return listening
