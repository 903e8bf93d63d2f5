"""How the shop's four systems hand their events in, live: each as JSON in a way of its own.

| source | names the order by | time |
|---|---|---|
| orders | `data.order.id` of a CloudEvent | ISO 8601, UTC |
| payments | `order_ref` | ISO 8601, with the offset of the office |
| shipments | `order` | ISO 8601, with the offset of the depot |
| compliance | only `payment`, the number of the payment checked | milliseconds since 1970 |
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import msgspec

from sagacity.workflow.trace import Event

__all__ = ["SOURCES", "handed_in"]

SOURCES = ("orders", "payments", "compliance", "shipments")
"""In the order in which an order passes through them."""

_OFFICE = timezone(timedelta(hours=5, minutes=30))
_DEPOT = timezone(timedelta(hours=2))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def handed_in(case: str, event: Event) -> tuple[str, bytes]:
    """The source that an event comes from, and the record that it is there."""
    source, write = _WRITERS[event.type]
    return source, msgspec.json.encode(write(case, event))


def _order(case: str, event: Event) -> dict[str, object]:
    total = {"value": str(event.attributes["amount"]), "currency": event.attributes["amount.currency"]}
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": "/shop/orders",
        "type": "shop.OrderPlaced",
        "time": _iso(event.time, UTC),
        "data": {"order": {"id": case}, "total": total, "items": event.attributes["items"]},
    }


def _booking(case: str, event: Event) -> dict[str, object]:
    return {
        "booking_no": event.id,
        "order_ref": case,
        "kind": "PAYMENT",
        "booked_at": _iso(event.time, _OFFICE),
        "gross": str(event.attributes["amount"]),
        "ccy": event.attributes["amount.currency"],
    }


def _check(case: str, event: Event) -> dict[str, object]:
    return {"check": event.id, "payment": f"pay-{case}-1", "done": event.time // 1000, "outcome": "clear"}


def _scan(case: str, event: Event) -> dict[str, object]:
    return {
        "scan": event.id,
        "order": case,
        "status": "handed_over",
        "parcel": event.attributes["parcel"],
        "items": event.attributes["items"],
        "at": _iso(event.time, _DEPOT),
    }


_WRITERS: dict[str, tuple[str, Callable[[str, Event], dict[str, object]]]] = {
    "OrderPlaced": ("orders", _order),
    "PaymentReceived": ("payments", _booking),
    "ComplianceCheckDone": ("compliance", _check),
    "ItemShipped": ("shipments", _scan),
}


def _iso(time: int, zone: timezone) -> str:
    return (_EPOCH + timedelta(microseconds=time)).astimezone(zone).isoformat(timespec="milliseconds")
