"""What is told in `purchase-result` is kept, in the order in which it comes, so that any replica can tell it on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from shop.chassis.database import Connection
from shop.chassis.listening import Heard, Hopeless, Listener
from shop.contracts import topics
from shop.contracts.commands import PurchaseEnded, PurchaseStepChanged
from shop.purchase import store

__all__ = ["listener"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def listener(url: str) -> Listener:
    """Keeps what the orchestrator tells of purchases."""
    listening = Listener("purchase", url, dead_letters=topics.DEAD_LETTER)

    @listening.on("PurchaseStepChanged", PurchaseStepChanged)
    async def stepped(heard: Heard, connection: Connection) -> None:
        told: PurchaseStepChanged = heard.data
        at = _EPOCH + timedelta(microseconds=told.time)
        if await store.tell(connection, int(told.purchase_id), "step", msgspec.json.encode(told), at) is None:
            raise Hopeless(f"there is no purchase {told.purchase_id}")

    @listening.on("PurchaseEnded", PurchaseEnded)
    async def ended(heard: Heard, connection: Connection) -> None:
        told: PurchaseEnded = heard.data
        id, at = int(told.purchase_id), _EPOCH + timedelta(microseconds=told.time)
        if await store.end(connection, id, told.result, told.reason, at):
            await store.tell(connection, id, "result", msgspec.json.encode(told), at)
        elif await store.find(connection, id) is None:
            raise Hopeless(f"there is no purchase {told.purchase_id}")

    return listening
