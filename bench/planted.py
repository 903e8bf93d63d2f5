"""A log of orders whose workflow is known, with faults planted in it: what discovery is held against.

Ten kinds of faults; each strikes its share of the cases that it can strike, and a case has one fault at most. One event in a
hundred is delivered twice, which is no fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec

__all__ = ["KINDS", "TRUE", "Fault", "Log", "planted"]

TRUE = """\
workflow: order
keys: order_id
sources:
  log: {format: jsonl, key: data.order_id}
events:
  OrderPlaced: {capture: {amount: data.amount as decimal, items: data.items as integer}}
  StockReserved:
  PaymentReceived: {capture: {amount: data.amount as decimal}}
  InvoiceSent:
  ComplianceCheckDone:
  ManualReview:
  GiftWrapped:
  ItemShipped: {capture: {items: data.items as integer}}
  ParcelDelivered:
  OrderCancelled:
  OrderClosed:
begins: OrderPlaced
ends: [OrderClosed, OrderCancelled]
timeout: 30d
expect:
  OrderPlaced: once
  StockReserved: [once, within 5m of OrderPlaced]
  PaymentReceived: [at most once, after StockReserved, amount = OrderPlaced.amount]
  InvoiceSent: [at most once, within 10m of PaymentReceived]
  ComplianceCheckDone: [at most once, within 24h of PaymentReceived]
  ItemShipped: [after PaymentReceived, within 3d of PaymentReceived]
  ParcelDelivered: [at most once, after ItemShipped, within 5d of ItemShipped]
  OrderClosed: [at most once, after ParcelDelivered, within 2d of ParcelDelivered]
  ManualReview: at most once
  GiftWrapped: at most once
  OrderCancelled: at most once
rules:
  - exclusive_choice: [PaymentReceived, OrderCancelled]
  - precedence: [OrderPlaced, PaymentReceived]
    within: 40m
  - response: [OrderPlaced, ManualReview]
    when: amount > 1000
    within: 4h
  - not_responded_existence: [OrderPlaced, ManualReview]
    when: amount <= 1000
  - not_response: [ItemShipped, GiftWrapped]
  - assert: count(ItemShipped) = 0 OR sum(ItemShipped.items) = OrderPlaced.items
"""
"""The workflow that the orders follow, but for the faults."""

_S, _M, _H, _D = 1.0, 60.0, 3600.0, 86400.0
_DUE = {
    "StockReserved": 5 * _M,
    "PaymentReceived": 30 * _M,
    "InvoiceSent": 10 * _M,
    "ComplianceCheckDone": 24 * _H,
    "ItemShipped": 3 * _D,
}
KINDS = (
    "missing", "duplicate", "late", "out of order", "another amount", "other items", "both paid and cancelled",
    "large and not reviewed", "small and reviewed", "wrapped after it left",
)  # fmt: skip
_START = 1_788_220_800.0
_REDELIVERED = 0.01


class Fault(NamedTuple):
    """What was planted: in which case, of which kind, at which event type."""

    case: str
    kind: str
    type: str


class Log(NamedTuple):
    """Events as CloudEvents in the order of their arrival, each with its time in seconds and its case; the faults; and when
    each case began."""

    events: list[tuple[float, str, dict[str, Any]]]
    faults: list[Fault]
    began: dict[str, float]

    def split(self, share: float) -> float:
        """The instant (seconds) up to which that share of the time has passed in which orders are placed."""
        first, last = min(self.began.values()), max(self.began.values())
        return first + share * (last - first)

    def write(self, path: Path, cases: Iterable[str] | None = None) -> Path:
        """Write the events, or those of some cases, as JSON lines."""
        kept = None if cases is None else set(cases)
        encode = msgspec.json.Encoder().encode
        with path.open("wb") as out:
            for _, case, event in self.events:
                if kept is None or case in kept:
                    out.write(encode(event) + b"\n")
        return path


def planted(orders: int, *, seed: int = 1, rate: float = 0.02, per_day: float = 120.0) -> Log:
    """A log of so many orders. The same seed gives the same log."""
    random = Random(seed)
    found: list[tuple[float, str, dict[str, Any]]] = []
    faults: list[Fault] = []
    began: dict[str, float] = {}
    for number in range(orders):
        case = f"A{100_000 + number}"
        placed = _START + (number + random.random()) * _D / per_day
        began[case] = placed
        order = _Order(random, case, placed)
        fault = order.spoil(rate)
        if fault is not None:
            faults.append(fault)
        for time, kind, data in order.events:
            event = _envelope(random, case, time, kind, data)
            found.append((time, case, event))
            if random.random() < _REDELIVERED:
                found.append((time + 5, case, event))
    found.sort(key=lambda each: each[0])
    return Log(found, faults, began)


def _envelope(random: Random, case: str, time: float, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    whole, micros = divmod(round(time * 1e6), 1_000_000)
    return {
        "specversion": "1.0",
        "id": f"{random.getrandbits(64):016x}",
        "source": f"/{kind.lower()}",
        "type": kind,
        "time": f"{_stamp(whole)}.{micros:06d}Z",
        "data": {"order_id": case, **data},
    }


def _stamp(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class _Order:
    """One order as it should go, then spoilt."""

    def __init__(self, random: Random, case: str, placed: float) -> None:
        self.random, self.case = random, case
        self.amount = round(10 * 10 ** (random.random() * 2.6), 2)
        self.items = random.randint(1, 6)
        self.paid = random.random() > 0.15
        self.gift = self.paid and random.random() < 0.3
        self.events: list[tuple[float, str, dict[str, Any]]] = []
        self.times = {"OrderPlaced": placed}
        self.parts = [self.items]
        self.go()

    def go(self) -> None:
        t = self.times
        t["StockReserved"] = t["OrderPlaced"] + self.wait("StockReserved")
        if self.amount > 1000:
            t["ManualReview"] = t["OrderPlaced"] + self.usual(4 * _H)
        if not self.paid:
            t["OrderCancelled"] = max(t.values()) + self.usual(3 * _D)
            return
        t["PaymentReceived"] = t["StockReserved"] + self.wait("PaymentReceived")
        t["InvoiceSent"] = t["PaymentReceived"] + self.wait("InvoiceSent")
        t["ComplianceCheckDone"] = t["PaymentReceived"] + self.wait("ComplianceCheckDone")
        t["ItemShipped"] = t["PaymentReceived"] + 20 * _M + self.wait("ItemShipped") * 0.9
        if self.gift:
            t["GiftWrapped"] = t["PaymentReceived"] + (t["ItemShipped"] - t["PaymentReceived"]) * self.random.uniform(
                0.1, 0.9
            )
        if self.items > 1 and self.random.random() < 0.25:
            first = self.random.randint(1, self.items - 1)
            self.parts = [first, self.items - first]

    def usual(self, due: float) -> float:
        """A span that is usual where so much is allowed: a tenth of it in the middle, never more than four fifths."""
        while True:
            span = due * 0.1 * self.random.lognormvariate(0, 0.7)
            if span < 0.8 * due:
                return span

    def wait(self, kind: str) -> float:
        return self.usual(_DUE[kind])

    def spoil(self, rate: float) -> Fault | None:
        """Plant at most one fault; then the events stand in `events`."""
        extra: list[tuple[float, str, dict[str, Any]]] = []
        fault = None
        for kind in self.random.sample(KINDS, len(KINDS)):
            if fault is None and self.can(kind) and self.random.random() < rate:
                fault = Fault(self.case, kind, self.strike(kind, extra))
        self.events = [*self.made(), *extra]
        return fault

    def can(self, kind: str) -> bool:
        large, reviewed = self.amount > 1000, "ManualReview" in self.times
        return {
            "missing": self.paid, "duplicate": self.paid, "late": self.paid, "out of order": self.paid,
            "another amount": self.paid, "other items": self.paid, "both paid and cancelled": self.paid,
            "large and not reviewed": large, "small and reviewed": not large and not reviewed,
            "wrapped after it left": self.gift,
        }[kind]  # fmt: skip

    def strike(self, kind: str, extra: list[tuple[float, str, dict[str, Any]]]) -> str:
        t, random = self.times, self.random
        match kind:
            case "missing":
                what = random.choice(("StockReserved", "InvoiceSent", "ComplianceCheckDone", "ItemShipped"))
                del t[what]
                return what
            case "duplicate":
                what = random.choice(("PaymentReceived", "InvoiceSent", "ComplianceCheckDone"))
                extra.append((t[what] + random.uniform(1, 100), what, self.data(what, 0)))
                return what
            case "late":
                what = random.choice(("PaymentReceived", "InvoiceSent", "ComplianceCheckDone", "ItemShipped"))
                cause = "StockReserved" if what == "PaymentReceived" else "PaymentReceived"
                before = t[what]
                t[what] = t[cause] + _DUE[what] * random.uniform(1.3, 4)
                if what == "PaymentReceived":
                    for other in ("InvoiceSent", "ComplianceCheckDone", "ItemShipped", "GiftWrapped"):
                        if other in t:
                            t[other] += t[what] - before
                return what
            case "out of order":
                t["ItemShipped"] = t["OrderPlaced"] + (t["PaymentReceived"] - t["OrderPlaced"]) * random.uniform(0.2, 0.9)
                t.pop("GiftWrapped", None)
                return "ItemShipped"
            case "another amount":
                self.wrong = round(self.amount + random.choice((-1, 1)) * random.uniform(0.01, 5), 2)
                return "PaymentReceived"
            case "other items":
                self.parts[-1] += 1
                return "ItemShipped"
            case "both paid and cancelled":
                t["OrderCancelled"] = t["PaymentReceived"] + random.uniform(60, 3600)
                return "OrderCancelled"
            case "large and not reviewed":
                del t["ManualReview"]
                return "ManualReview"
            case "small and reviewed":
                t["ManualReview"] = t["OrderPlaced"] + self.usual(4 * _H)
                return "ManualReview"
        t["GiftWrapped"] = t["ItemShipped"] + random.uniform(60, 600)
        return "GiftWrapped"

    wrong: float | None = None

    def data(self, kind: str, part: int) -> dict[str, Any]:
        match kind:
            case "OrderPlaced":
                return {"amount": self.amount, "items": self.items, "channel": self.random.choice(("web", "app", "shop"))}
            case "PaymentReceived":
                return {"amount": self.wrong or self.amount, "method": self.random.choice(("card", "transfer"))}
            case "ItemShipped":
                return {"items": self.parts[part]}
        return {}

    def made(self) -> Iterator[tuple[float, str, dict[str, Any]]]:
        last = None
        for kind, time in self.times.items():
            if kind == "ItemShipped":
                for part in range(len(self.parts)):
                    last = time + part * self.random.uniform(600, 6 * _H)
                    yield last, kind, self.data(kind, part)
            else:
                yield time, kind, self.data(kind, 0)
        if self.paid and last is not None:
            delivered = last + 2 * _H + self.usual(5 * _D)
            done = max(delivered, *(time for kind, time in self.times.items() if kind != "OrderCancelled"))
            yield delivered, "ParcelDelivered", {}
            yield done + self.usual(2 * _D), "OrderClosed", {}
