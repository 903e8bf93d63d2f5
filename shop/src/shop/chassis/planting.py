"""Tells of something with the faults that are planted in it."""

from __future__ import annotations

from datetime import timedelta

from sagacity.messaging import Envelope
from sagacity.messaging.postgres import outbox
from shop.chassis.database import Connection
from shop.chassis.faults import Fault
from shop.chassis.late import send_later
from shop.chassis.logs import logger
from shop.chassis.told import told
from shop.contracts.events import DomainEvent

__all__ = ["confess", "tell"]


def confess(service: str, purchase_id: str, planted: frozenset[Fault]) -> None:
    """Log which faults are planted in a purchase: what a reconciler found can be held against it."""
    if planted:
        logger(f"shop.{service}").warning("fault planted", purchase=purchase_id, faults=sorted(planted))


async def tell(
    connection: Connection,
    event: DomainEvent,
    *,
    service: str,
    id: str,
    time: int,
    cause: Envelope,
    planted: frozenset[Fault],
    late_by: timedelta,
) -> None:
    """Tell of an event, in the connection's transaction: once, or twice, at once or late. What is told twice are two events,
    and not one that is delivered twice: nothing but the business says that there should be one."""
    copies = (id, f"{id}/twice") if "duplicate" in planted else (id,)
    messages = [told(event, service=service, id=each, time=time, cause=cause) for each in copies]
    if "delay" in planted:
        await send_later(connection, messages, late_by)
    else:
        await outbox.send(connection, messages)
