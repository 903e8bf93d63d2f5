"""How the shop's four systems write events down, each in a way of its own.

| source | format | names the order by | time |
|---|---|---|---|
| orders | CloudEvents, JSON lines, gzip, one file a service | `data.order.id` | ISO 8601, UTC |
| payments | CSV of a bookkeeping system | `order_ref` | local time of India, no offset |
| shipments | JSON lines of parcel scans | `order` | ISO 8601, with the offset of the depot |
| compliance | JSON lines | only `payment`, the number of the payment checked | milliseconds since 1970 |
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from sagacity.workflow.trace import Event

__all__ = ["CSV_HEADER", "FILES", "subscription", "tariff", "written"]

STOREFRONT = "orders/storefront.jsonl.gz"
FULFILMENT = "orders/fulfilment.jsonl.gz"
PAYMENTS = "payments/bookings.csv"
SCANS = "shipments/scans.jsonl"
CHECKS = "compliance/checks.jsonl"

FILES = (STOREFRONT, FULFILMENT, PAYMENTS, SCANS, CHECKS)
"""Every file, relative to the data folder."""

CSV_HEADER = "booking_no,order_ref,kind,booked_at,gross,ccy\n"

_INDIA = timezone(timedelta(hours=5, minutes=30))
_DEPOT = timezone(timedelta(hours=2))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def written(case: str, event: Event) -> tuple[str, str]:
    """The file that an event is written to, and the line that it becomes there."""
    file, write = _WRITERS.get(event.type, (STOREFRONT, _cloud_event))
    return file, write(case, event)


def tariff(n: int, time: int) -> tuple[str, str]:
    """A record that belongs to no order and is of no type that the workflow names."""
    return STOREFRONT, _cloud(
        {"id": f"tariff-{n}", "type": "shop.TariffPublished", "time": _iso(time, UTC), "data": {"version": n}}
    )


def subscription(n: int, time: int) -> tuple[str, str]:
    """A payment that belongs to no order: an orphan."""
    return PAYMENTS, _row(f"sub-{n}", "", "PAYMENT", _local(time), "9.99", "EUR")


def _cloud_event(case: str, event: Event) -> str:
    data: dict[str, object] = {"order": {"id": case}}
    if "amount" in event.attributes:
        data["total"] = {"value": str(event.attributes["amount"]), "currency": event.attributes["amount.currency"]}
        data["items"] = event.attributes["items"]
    return _cloud({"id": event.id, "type": f"shop.{event.type}", "time": _iso(event.time, UTC), "data": data})


def _cloud(fields: dict[str, object]) -> str:
    return _json({"specversion": "1.0", "source": "/shop/orders", **fields})


def _booking(kind: str) -> Callable[[str, Event], str]:
    def write(case: str, event: Event) -> str:
        gross, currency = str(event.attributes["amount"]), str(event.attributes["amount.currency"])
        return _row(str(event.id), case, kind, _local(event.time), gross, currency)

    return write


def _scan(status: str) -> Callable[[str, Event], str]:
    def write(case: str, event: Event) -> str:
        scan: dict[str, object] = {"scan": event.id, "parcel": event.attributes["parcel"], "order": case, "status": status}
        if "items" in event.attributes:
            scan["items"] = event.attributes["items"]
        return _json({**scan, "at": _iso(event.time, _DEPOT)})

    return write


def _check(case: str, event: Event) -> str:
    return _json({"check": event.id, "payment": f"pay-{case}-1", "done": event.time // 1000, "outcome": "clear"})


_WRITERS: dict[str, tuple[str, Callable[[str, Event], str]]] = {
    "OrderPlaced": (STOREFRONT, _cloud_event),
    "OrderCancelled": (FULFILMENT, _cloud_event),
    "OrderClosed": (FULFILMENT, _cloud_event),
    "PaymentReceived": (PAYMENTS, _booking("PAYMENT")),
    "RefundIssued": (PAYMENTS, _booking("REFUND")),
    "ItemShipped": (SCANS, _scan("handed_over")),
    "ParcelDelivered": (SCANS, _scan("delivered")),
    "ComplianceCheckDone": (CHECKS, _check),
}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def _row(*values: str) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def _iso(time: int, zone: timezone) -> str:
    text = (_EPOCH + timedelta(microseconds=time)).astimezone(zone).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _local(time: int) -> str:
    return (_EPOCH + timedelta(microseconds=time)).astimezone(_INDIA).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
