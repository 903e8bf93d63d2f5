"""Domain events as messages: what is written into the outbox, in the transaction of what it tells of."""

from __future__ import annotations

import msgspec

from sagacity import correlation
from sagacity.messaging import Envelope, Message
from shop.contracts import topics
from shop.contracts.events import DomainEvent

__all__ = ["told"]


def told(event: DomainEvent, *, service: str, id: str, time: int, cause: Envelope | None = None) -> Message:
    """A domain event, as it is published by a service; see `shop.contracts.events`.

    `id` is unique within the service: make it of what has caused the event, so that the same has the same. `time` is when it
    happened, in microseconds since 1970, UTC. `cause` is the message that made the service do it. The trace that is
    bound goes on; where there is none, that of the cause.
    """
    carried = correlation.current()
    trace: tuple[str | None, str | None] = (None, None)
    if carried is not None and carried.traceparent is not None:
        trace = (carried.traceparent, carried.tracestate)
    elif cause is not None:
        trace = (cause.traceparent, cause.tracestate)
    return Message(
        topics.SHOP_EVENTS,
        Envelope(
            id=id,
            type=type(event).__name__,
            source=f"/shop/{service}",
            time=time,
            key=event.purchase_id,
            subject=event.purchase_id,
            data=msgspec.json.encode(event),
            correlation_id=event.purchase_id,
            cause=None if cause is None else cause.id,
            traceparent=trace[0],
            tracestate=trace[1],
        ),
    )
