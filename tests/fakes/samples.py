"""Sample data: two workflows, hundreds of cases in all states, findings with a history, incidents, sources in all states."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from sagacity.demo.course import DAY, HOUR, MINUTE
from sagacity.demo.orders import Plan, stories
from sagacity.ledger.live import Action, FindingFilter, LiveLedger, Outlook, Settled
from sagacity.sources.stream import Batch, Part, Reach
from sagacity.workflow.language.reader import loads
from sagacity.workflow.trace import Event

from .live_ledger import MemoryLedger

__all__ = ["ORDER", "REFUND", "FixedStream", "record", "sample_ledger"]

ORDER = """\
# How an order goes: paid, checked, shipped and delivered, or cancelled before it is paid.
workflow: order
version: "3"
description: An order is paid, checked, shipped and delivered, or cancelled before it is paid.
owner: shop-platform
keys: [order]

sources:
  orders: {format: jsonl, type: type, time: time, id: id, key: data.order_id}
  payments: {format: jsonl, type: type, time: time, id: id, key: data.order_id}
  shipments: {format: jsonl, type: type, time: time, id: id, key: data.order_id}
  compliance: {format: jsonl, type: type, time: time, id: id, key: data.order_id}

events:
  OrderPlaced:
    source: orders
    capture:
      amount: {value: data.amount, type: decimal, scale: 2, currency: data.currency}
      items: data.items as integer
  OrderCancelled: {source: orders}
  OrderClosed: {source: orders}
  PaymentReceived:
    source: payments
    owner: payments
    capture:
      amount: {value: data.amount, type: decimal, scale: 2, currency: data.currency}
  RefundIssued:
    source: payments
    owner: payments
    capture:
      amount: {value: data.amount, type: decimal, scale: 2, currency: data.currency}
  ItemShipped:
    source: shipments
    owner: warehouse
    capture: {parcel: data.parcel, items: data.items as integer}
  ParcelDelivered:
    source: shipments
    owner: carriers
    capture: {parcel: data.parcel}
  ComplianceCheckDone: {source: compliance, owner: compliance}

begins: [OrderPlaced]
ends: [OrderClosed, OrderCancelled]
timeout: 7d

expect:
  OrderPlaced: once
  PaymentReceived: at most once, amount = OrderPlaced.amount
  ComplianceCheckDone: at most once, within 24h of PaymentReceived
  ItemShipped:
    - {is: within 48h of PaymentReceived, severity: critical}
    - after PaymentReceived

rules:
  - name: paid or cancelled
    exclusive_choice: [PaymentReceived, OrderCancelled]
  - name: paid within half an hour of the order
    precedence: [OrderPlaced, PaymentReceived]
    within: 30m
    severity: warning
    owner: payments
  - name: nothing is shipped once cancelled
    not_response: [OrderCancelled, ItemShipped]
    severity: critical
  - name: every parcel arrives
    matches: {from: ItemShipped, to: ParcelDelivered, by: parcel, within: 4d}
  - name: every item ordered is shipped
    assert: count(ItemShipped) = 0 OR sum(ItemShipped.items) = OrderPlaced.items
    owner: warehouse
"""

REFUND = """\
workflow: refund
description: A refund that is asked for is approved or turned down within a day, and paid within three.
owner: payments
keys: [refund]

sources:
  refunds: {format: jsonl, type: type, time: time, id: id, key: data.refund_id}

events:
  RefundRequested: {source: refunds, capture: {order: data.order_id}}
  RefundApproved: {source: refunds}
  RefundTurnedDown: {source: refunds}
  RefundPaid: {source: refunds, owner: treasury}

begins: [RefundRequested]
ends: [RefundPaid, RefundTurnedDown]
timeout: 10d

expect:
  RefundRequested: once
  RefundPaid: {is: within 3d of RefundApproved, severity: critical}

rules:
  - name: decided within a day
    response: [RefundRequested, RefundApproved]
    within: 1d
    severity: warning
  - name: only one decision
    exclusive_choice: [RefundApproved, RefundTurnedDown]
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SOURCES = {"Order": "orders", "Payment": "payments", "Refund": "payments", "Item": "shipments", "Parcel": "shipments"}


class FixedStream:
    """A stream that gives nothing, of sources in whatever state is wanted."""

    def __init__(self, reaches: Sequence[Reach]) -> None:
        self._reaches = list(reaches)

    def start(self, positions: Mapping[Part, int]) -> None:
        """Nothing to read on."""

    def poll(self, most: int, wait: float) -> list[Batch]:
        del most, wait
        return []

    def durable(self, batches: Sequence[Batch]) -> None:
        """Nothing was given."""

    def reaches(self) -> list[Reach]:
        return self._reaches

    def close(self) -> None:
        """Nothing is held."""


REACHES = (
    Reach(source="orders", part="orders.events/0", state="current", lag=0),
    Reach(source="orders", part="orders.events/1", state="current", lag=0),
    Reach(source="payments", part="payments.events/0", state="behind", lag=5_214),
    Reach(source="shipments", part="/var/spool/scans.jsonl", state="current", lag=0),
    Reach(
        source="compliance",
        part="compliance.checks/0",
        state="down",
        error="no broker answers at compliance:9092: connection refused; check that it runs and is reachable",
    ),
    Reach(source="refunds", part="refunds.jsonl", state="current", lag=0),
)
_AT_A_TIME = 16
_PARTS = {
    "orders": ("orders.events/0", "orders.events/1"),
    "payments": ("payments.events/0",),
    "shipments": ("/var/spool/scans.jsonl",),
    "compliance": ("compliance.checks/0",),
    "refunds": ("refunds.jsonl",),
}


def record(type_: str, id_: str, time: int, data: Mapping[str, object]) -> bytes:
    """A CloudEvent."""
    moment = (_EPOCH + timedelta(microseconds=time)).isoformat().replace("+00:00", "Z")
    document = {"specversion": "1.0", "type": type_, "source": "/samples", "id": id_, "time": moment, "data": data}
    return json.dumps(document, default=str).encode()


def sample_ledger(now: int, *, orders: int = 320) -> MemoryLedger:
    """`fill`, of a ledger in memory."""
    ledger = MemoryLedger()
    fill(ledger, now, orders=orders)
    return ledger


def fill(ledger: LiveLedger, now: int, *, orders: int) -> None:
    """Orders and refunds of the last days before `now`, with findings in all states; the same for the same `now`."""
    adopted = now - 20 * DAY
    ledger.adopt(loads(ORDER.replace('"3"', '"2"')), ORDER.replace('"3"', '"2"'), by="deploy", now=adopted)
    ledger.adopt(loads(ORDER), ORDER, by="maria", now=adopted + DAY)
    ledger.adopt(loads(REFUND), REFUND, by="deploy", now=adopted)
    ledger.audit("deploy", "workflow order, revision 1", adopted)
    ledger.audit("maria", "workflow order, revision 2", adopted + DAY)
    told = sorted(_arriving([*_orders(now, orders), *_refunds(now)]), key=lambda each: each[1])
    told = [each for each in told if each[1] <= now]
    steps = [now - 3 * DAY, now - 2 * DAY, now - DAY, now - 6 * HOUR, now - HOUR, now - 20 * MINUTE, now]
    start = 0
    for number, step in enumerate(steps):
        upto = next((n for n, each in enumerate(told) if each[1] > step), len(told))
        for first in range(start, upto, _AT_A_TIME):
            together = told[first : min(first + _AT_A_TIME, upto)]
            ledger.append(_batches(together, first), max(adopted, *(time for _, time, _ in together)))
        start = upto
        ledger.judge(Outlook(step - 2_000_000), step)
        _people_act(ledger, step + MINUTE, Random(number))
    garbage = [
        b"\xff\xfe\x00not json",
        b"[1, 2]",
        b'{"type": "OrderPlaced"}',
        b'{"type": "Tariff", "time": "2026-01-01T00:00Z"}',
    ]
    ledger.append([Batch(source="orders", part="push", bodies=garbage, positions=range(4))], now)
    _alerts(ledger, now)


def _batches(told: Sequence[tuple[str, int, bytes]], first: int) -> list[Batch]:
    """What arrives together, by source and part; positions count on from `first`."""
    by_part: dict[tuple[str, str], list[tuple[int, bytes]]] = {}
    for n, (source, _, body) in enumerate(told, first):
        by_part.setdefault((source, _PARTS[source][n % len(_PARTS[source])]), []).append((n, body))
    return [
        Batch(
            source=source,
            part=part,
            bodies=[body for _, body in rows],
            positions=[n for n, _ in rows],
            resume=rows[-1][0] + 1,
        )
        for (source, part), rows in by_part.items()
    ]


def _arriving(told: Sequence[tuple[str, int, bytes]]) -> Iterator[tuple[str, int, bytes]]:
    """When each record arrives: a few long after it was written, so that findings open and are resolved."""
    random = Random(3)
    for source, time, body in told:
        delay = int(random.uniform(1, 3) * DAY) if random.random() < 0.06 else 0
        yield source, time + delay, body


def _orders(now: int, orders: int) -> Iterator[tuple[str, int, bytes]]:
    plan = Plan(orders=orders, faults=0.14, per_day=max(orders // 11, 1))
    shift = now - plan.as_of + DAY
    for story in stories(plan):
        for event in story.events:
            prefix = next((each for each in _SOURCES if event.type.startswith(each)), None)
            source = _SOURCES[prefix] if prefix else "compliance"
            yield source, event.time + shift, _told(event, story.case, shift)


def _told(event: Event, case: str, shift: int) -> bytes:
    data: dict[str, object] = {"order_id": case, "correlation_id": f"corr-{case}"}
    for name, value in event.attributes.items():
        data[name.removeprefix("amount.")] = str(value) if isinstance(value, Decimal) else value
    return record(event.type, event.id or "", event.time + shift, data)


def _refunds(now: int) -> Iterator[tuple[str, int, bytes]]:
    random = Random(5)
    for n in range(60):
        asked = now - int(random.uniform(0.01, 9) * DAY)
        refund = {"refund_id": f"R-{7000 + n}", "order_id": str(101 + 3 * n)}
        yield "refunds", asked, record("RefundRequested", f"rq-{n}", asked, refund)
        chance = random.random()
        decided = asked + int(random.uniform(0.02, 0.9 if chance > 0.1 else 1.6) * DAY)
        if chance < 0.2:
            yield "refunds", decided, record("RefundTurnedDown", f"rt-{n}", decided, refund)
            continue
        yield "refunds", decided, record("RefundApproved", f"ra-{n}", decided, refund)
        if chance < 0.92:
            paid = decided + int(random.uniform(0.2, 3.2) * DAY)
            yield "refunds", paid, record("RefundPaid", f"rp-{n}", paid, refund)


def _people_act(ledger: LiveLedger, now: int, random: Random) -> None:
    people = ("amara", "jonas", "li", "maria")
    for finding in ledger.findings(FindingFilter(states=("open",)), limit=1000).items:
        chance = random.random()
        by = random.choice(people)
        if chance < 0.10:
            ledger.act(finding.id, Action(what="acknowledge", by=by, reason="looking into it"), now)
        elif chance < 0.16:
            until = now + 7 * DAY
            ledger.act(finding.id, Action(what="waive", by=by, reason="known carrier strike", until=until), now)
        elif chance < 0.18:
            ledger.act(finding.id, Action(what="waive", by=by, reason="test order"), now)
            ledger.act(finding.id, Action(what="reopen", by=by, reason="not a test order after all"), now + MINUTE)
        else:
            continue
        ledger.audit(by, f"acted on finding {finding.id}", now)


def _alerts(ledger: LiveLedger, now: int) -> None:
    """All but the last few notices are delivered; three never will be."""
    numbers = [notice.number for notice in ledger.notices(now, 10_000)]
    for number in numbers[:3]:
        ledger.settle([Settled(number=number, deliveries=(), failed="https://hooks.example/alerts answered 410 Gone")])
    ledger.settle([Settled(number=number, deliveries=()) for number in numbers[3:-2]])
