"""What is sent in a campaign: orders with faults, and how their records come: twice, late, out of order, or as garbage.

One seed gives one course: the same records in the same order, each in its segment. Only the instant at which it all begins
is given from outside, so that deadlines pass while the server is being killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec

__all__ = ["SEGMENT", "Course", "Sent", "course"]

SEGMENT = 3_000_000
"""So long, in microseconds, is a segment of the course: what is sent between one kill and the next."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000
_TAIL = 12 * _SECOND


class Sent(msgspec.Struct, frozen=True):
    """A record of a source, with the key that says which partition it goes to."""

    source: str
    key: str
    body: bytes


class Course(msgspec.Struct, frozen=True):
    """The records of each segment in the order in which they are sent; `settled` is when nothing more falls due."""

    segments: tuple[tuple[Sent, ...], ...]
    settled: int

    @property
    def records(self) -> list[Sent]:
        return [sent for segment in self.segments for sent in segment]


def course(seed: int, rounds: int, begin: int, *, orders_a_second: int = 60) -> Course:
    """The course of so many segments, from an instant on."""
    random = Random(f"course {seed}")
    span = rounds * SEGMENT
    arrivals: list[tuple[int, int, Sent]] = []
    for order in range(span * orders_a_second // _SECOND):
        start = order * _SECOND // orders_a_second
        for at, sent in _arrivals(random, order, start, begin):
            arrivals.append((at, len(arrivals), sent))
    arrivals.sort()
    segments: list[list[Sent]] = [[] for _ in range(rounds)]
    for at, _, sent in arrivals:
        segments[min(max(at, 0) // SEGMENT, rounds - 1)].append(sent)
    return Course(tuple(map(tuple, segments)), begin + span + 2 * _TAIL)


def _arrivals(random: Random, order: int, start: int, begin: int) -> Iterator[tuple[int, Sent]]:
    """When, from the beginning, each record of an order comes in."""
    for time, source, fields in _events(random, order, start):
        body = _body(fields | {"time": _iso(begin + time)})
        sent = Sent(source, f"order-{order}", body)
        chance = random.random()
        if chance < 0.80:  # within the allowed lateness
            arrival = time + random.randrange(1_500_000)
        elif chance < 0.92:  # beyond it
            arrival = time + random.randrange(3 * _SECOND, 9 * _SECOND)
        else:  # by a clock that goes ahead
            arrival = time - random.randrange(_SECOND)
        yield arrival, sent
        while random.random() < 0.08:
            arrival += random.randrange(4 * _SECOND)
            yield arrival, sent
    if random.random() < 0.06:
        yield start, Sent(random.choice(("orders", "checks")), f"order-{order}", _garbage(random))


def _events(random: Random, order: int, start: int) -> Iterator[tuple[int, str, dict[str, object]]]:
    """What happens to an order: when, where it is told, and its fields."""
    fault = random.choices(
        ("none", "unpaid", "paid late", "mispaid", "unshipped", "cancelled and shipped", "unchecked", "undelivered",
         "shipped twice", "unknown", "never placed"),
        (70, 3, 4, 3, 3, 3, 3, 3, 3, 2, 3),
    )[0]  # fmt: skip
    amount = f"{random.randrange(100, 99_999) / 100:.2f}"
    payment = f"p-{order}"

    def event(type: str, after: int, **fields: object) -> tuple[int, str, dict[str, object]]:
        source = "checks" if type == "ComplianceCheckDone" else "orders"
        known = {"payment": payment} if source == "checks" else {"order": f"o-{order}"}
        return start + after, source, {"type": type, "id": f"{type}-{order}-{fields.get('parcel', 0)}", **known, **fields}

    if fault != "never placed":
        yield event("OrderPlaced", 0, amount=amount)
    if fault == "unpaid":
        return
    paid = random.randrange(200_000, 2 * _SECOND) + (4 * _SECOND if fault == "paid late" else 0)
    paid_amount = "0.01" if fault == "mispaid" else amount
    yield event("PaymentReceived", paid, amount=paid_amount, payment=payment)
    if fault != "unchecked":
        yield event("ComplianceCheckDone", paid + random.randrange(3 * _SECOND))
    if fault == "cancelled and shipped":
        yield event("OrderCancelled", paid + 100_000)
    if fault == "unknown":
        yield event("OrderPainted", paid + 200_000)
    parcels = {"unshipped": 0, "shipped twice": 2}.get(fault, 1)
    for parcel in range(parcels):
        shipped = paid + random.randrange(200_000, 2 * _SECOND)
        yield event("ItemShipped", shipped, parcel=f"{order}/{parcel}")
        if fault != "undelivered":
            yield event("ParcelDelivered", shipped + random.randrange(100_000, 4 * _SECOND), parcel=f"{order}/{parcel}")


def _garbage(random: Random) -> bytes:
    """Something that is no event: all of it is to be accounted for as rejected, or as of no type, and none to do harm."""
    choice = random.randrange(6)
    if choice == 0:
        return bytes(random.choice(range(33, 256)) for _ in range(random.randrange(1, 60)))
    if choice == 1:
        return b'{"type":"OrderPlaced","order":"o-1","time":"yesterday","id":"x"}'
    if choice == 2:
        return b'{"type":"OrderPlaced","id":"cut","time":"2026-'
    if choice == 3:
        return b"[" * random.randrange(1, 3_000)
    if choice == 4:
        return b'{"type":"OrderPlaced","time":"2026-01-01T00:00:00Z","id":"no order"}'
    return b'"only a text"'


def _body(fields: dict[str, object]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def _iso(instant: int) -> str:
    return (_EPOCH + timedelta(microseconds=instant)).isoformat(timespec="microseconds").replace("+00:00", "Z")
