"""What compliance does when it hears of a payment."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from shop.chassis.database import Connection
from shop.chassis.faults import Faults
from shop.chassis.ids import Ids, to_public
from shop.chassis.listening import Heard, Listener
from shop.chassis.planting import confess, tell
from shop.compliance import store
from shop.compliance.domain import checked
from shop.contracts import topics
from shop.contracts.events import ComplianceCheckDone, PaymentReceived

__all__ = ["listener"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def listener(
    url: str,
    ids: Ids,
    faults: Faults,
    flag_above: int | None = None,
    *,
    clock: Callable[[], int] = lambda: time.time_ns() // 1000,
) -> Listener:
    """Looks at what was paid; `flag_above` is in minor units, `clock` in microseconds since 1970, UTC."""
    listening = Listener("compliance", url, dead_letters=topics.DEAD_LETTER, clock=clock)

    @listening.on("PaymentReceived", PaymentReceived)
    async def look(heard: Heard, connection: Connection) -> None:
        payment: PaymentReceived = heard.data
        planted = faults.of(payment.purchase_id)
        now = clock()
        check = checked(payment, ids.new(), _EPOCH + timedelta(microseconds=now), flag_above)
        if "drop" not in planted and not await store.add(connection, check):
            return
        confess("compliance", payment.purchase_id, planted)
        if "drop" in planted:
            return
        amount = payment.amount + 1 if "wrong_amount" in planted else payment.amount
        event = ComplianceCheckDone(
            payment.purchase_id, to_public(check.id), payment.payment_id, amount, payment.currency, check.verdict
        )
        await tell(
            connection,
            event,
            service="compliance",
            id=f"{check.id}/done",
            time=now,
            cause=heard.envelope,
            planted=planted,
            late_by=faults.late_by,
        )

    return listening
