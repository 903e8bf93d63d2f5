"""A stream of orders as a shop sees them: any number, from a seed, in the order in which they were placed.

Orders come with the rhythm of day and night. Most are paid within minutes, checked, shipped in one to three parcels,
delivered and closed; some are cancelled before they are paid, some are refunded later. Each order draws from a random
generator of its own, seeded with the stream's seed and the order's number, so that an order is the same however many
follow it. Memory use does not depend on the number of orders.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate
from random import Random

import msgspec

from sagacity.demo.course import DAY, HOUR, MINUTE, SECOND, Course, Parcel, Payment, events_of
from sagacity.demo.faults import FAULTS, NEVER_SHIPPED, Fault
from sagacity.workflow.trace import Event

__all__ = ["FEWEST", "SETTLED", "START", "Plan", "Story", "stories"]

START = 1_788_220_800_000_000
"""2026-09-01T00:00Z: when the first day of orders begins."""

SETTLED = 8 * DAY
"""However an order goes, it is settled this long after it was placed: only such orders get a fault."""

FEWEST = 100
"""The smallest number of orders for which a stream holds order 123."""

_FIRST_NUMBER = 101
_FOUR_FIFTY = 123
_MONEY = (("USD", 60), ("EUR", 30), ("GBP", 10))
_BY_HOUR = (6, 3, 2, 1, 1, 2, 5, 12, 22, 30, 36, 40, 46, 42, 36, 34, 36, 42, 50, 60, 64, 50, 30, 14)
_UP_TO_HOUR = (0, *accumulate(_BY_HOUR))


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How many orders to make, from which seed, what share of them with a fault, and how many a day.

    `as_of` is the instant at which the books are looked at: a day after the last day of orders, or when the first
    orders have long been settled. Orders that were placed shortly before it are still open.
    """

    orders: int = 5000
    seed: int = 7
    faults: float = 0.02
    per_day: int = 250

    @property
    def as_of(self) -> int:
        days = -(-self.orders // self.per_day)
        return START + max(days * DAY + DAY, SETTLED + DAY)


class Story(msgspec.Struct, frozen=True):
    """One order: its events in the order of their times, and the fault planted in it, if any."""

    case: str
    events: tuple[Event, ...]
    fault: Fault | None = None


def stories(plan: Plan) -> Iterator[Story]:
    """Every order of the plan, in the order of placing (almost: neighbours may be swapped)."""
    planted = 0
    for n in range(plan.orders):
        number = _FIRST_NUMBER + n
        random = Random(f"{plan.seed}/{number}")
        placed = _placed_at(n, plan.per_day, random)
        case = str(number)
        if number == _FOUR_FIFTY:
            course = NEVER_SHIPPED.plant(_four_fifty(_ordinary(case, placed, random)), random)
            yield Story(case, events_of(course), NEVER_SHIPPED)
        elif random.random() < plan.faults and placed + SETTLED <= plan.as_of:
            fault = FAULTS[planted % len(FAULTS)]
            planted += 1
            yield Story(case, events_of(fault.plant(_ordinary(case, placed, random), random)), fault)
        else:
            yield Story(case, events_of(_honest(case, placed, random)))


def _placed_at(n: int, per_day: int, random: Random) -> int:
    """When the n-th order is placed: at an even pace, but for the hours of the day."""
    day, share = divmod((n + random.random()) / per_day, 1)
    weight = share * _UP_TO_HOUR[-1]
    hour = bisect_right(_UP_TO_HOUR, weight) - 1
    within = (weight - _UP_TO_HOUR[hour]) / _BY_HOUR[hour]
    return START + _whole(day * DAY + (hour + within) * HOUR)


def _honest(case: str, placed: int, random: Random) -> Course:
    """An order without a fault: cancelled before it is paid, refunded afterwards, or neither."""
    course = _ordinary(case, placed, random)
    chance = random.random()
    if chance < 0.06:
        cancelled = placed + _whole(random.uniform(10 * MINUTE, 3 * HOUR))
        return msgspec.structs.replace(course, payments=(), checks=(), parcels=(), closed=None, cancelled=cancelled)
    if chance < 0.10 and course.closed is not None:
        share = random.choice((Decimal(1), Decimal("0.5"), Decimal("0.2")))
        amount = max((course.amount * share).quantize(Decimal("0.01")), Decimal("0.01"))
        refund = Payment(course.closed + _whole(random.uniform(HOUR, 40 * HOUR)), amount, course.currency)
        return msgspec.structs.replace(course, refunds=(refund,))
    return course


def _four_fifty(course: Course) -> Course:
    """The order made one of a single item, for $4.50."""
    paid = Payment(course.payments[0].time, Decimal("4.50"), "USD")
    return msgspec.structs.replace(course, amount=paid.amount, currency=paid.currency, items=1, payments=(paid,))


def _ordinary(case: str, placed: int, random: Random) -> Course:
    """An order that is paid, checked, shipped, delivered and closed, well within every deadline."""
    cents = min(int(random.lognormvariate(7.6, 1.1)) + 99, 2_500_000)
    currency = random.choices([name for name, _ in _MONEY], [weight for _, weight in _MONEY])[0]
    amount = Decimal(cents).scaleb(-2)
    items = min(1 + int(random.expovariate(0.8)), 9)
    paid = placed + _whole(min(5 * SECOND + random.lognormvariate(4.0, 0.9) * SECOND, 20 * MINUTE))
    checked = paid + _whole(min(5 * MINUTE + random.lognormvariate(0.5, 0.8) * HOUR, 20 * HOUR))
    parcels = _parcels(items, paid, random)
    closed = max(checked, *(parcel.delivered or 0 for parcel in parcels)) + _whole(random.uniform(MINUTE, 30 * MINUTE))
    return Course(
        case=case,
        amount=amount,
        currency=currency,
        items=items,
        placed=(placed,),
        payments=(Payment(paid, amount, currency),),
        checks=(checked,),
        parcels=parcels,
        closed=closed,
    )


def _parcels(items: int, paid: int, random: Random) -> tuple[Parcel, ...]:
    count = min(random.choices((1, 2, 3), (85, 12, 3))[0], items)
    first = paid + _whole(min(2 * HOUR + random.lognormvariate(2.5, 0.5) * HOUR, 42 * HOUR))
    parcels = []
    for n in range(count):
        held = items // count + (n < items % count)
        shipped = first + (_whole(random.uniform(0, 4 * HOUR)) if n else 0)
        parcels.append(Parcel(held, shipped, shipped + _whole(random.uniform(12 * HOUR, 72 * HOUR))))
    return tuple(parcels)


def _whole(microseconds: float) -> int:
    """A span in microseconds, cut to whole milliseconds."""
    return int(microseconds) // 1000 * 1000
