"""The faults that can be planted in an order, as data: what is done to its course, and which findings must follow.

Every fault is planted in an order of its own that is otherwise in good shape, so that the findings are exactly known.
The expectations are those of `order.workflow.yaml`, by name.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random

import msgspec

from sagacity.demo.course import HOUR, MINUTE, SECOND, Course, Parcel, Payment, events_of
from sagacity.workflow.verdict import FindingKind

__all__ = ["FAULTS", "NEVER_SHIPPED", "Fault"]

_replace = msgspec.structs.replace

_BEGINS = "begins with OrderPlaced"
_ONE_ORDER = "OrderPlaced once"
_CHARGED_ONCE = "PaymentReceived at most once"
_CHECKED_ONCE = "ComplianceCheckDone at most once"
_CHECKED = "ComplianceCheckDone within 1d of PaymentReceived"
_SHIPPED = "ItemShipped within 2d of PaymentReceived"
_PAID_FIRST = "ItemShipped after PaymentReceived"
_PAID_OR_CANCELLED = "paid or cancelled"
_PAID_IN_TIME = "paid within half an hour of the order"
_AMOUNTS = "PaymentReceived.amount = OrderPlaced.amount"
_ITEMS = "every item ordered is shipped"
_PARCELS = "every parcel arrives"
_CANCELLED = "nothing is shipped once cancelled"
_REFUNDS = "no refund exceeds what was paid"
_UNEXPECTED = "no unexpected event"
_IDENTITY = "one content per event id"


class Fault(msgspec.Struct, frozen=True):
    """A fault: its name, what went wrong, how it is done to an order, and the findings (expectation, kind) it yields."""

    name: str
    story: str
    plant: Callable[[Course, Random], Course]
    findings: tuple[tuple[str, FindingKind], ...]


def _never_shipped(course: Course, _random: Random) -> Course:
    return _replace(course, parcels=(), closed=None)


def _shipped_late(course: Course, random: Random) -> Course:
    shipped = course.payments[0].time + _between(random, 55 * HOUR, 75 * HOUR)
    delivered = shipped + _between(random, 12 * HOUR, 48 * HOUR)
    return _replace(course, parcels=(Parcel(course.items, shipped, delivered),), closed=delivered + 10 * MINUTE)


def _shipped_before_paid(course: Course, random: Random) -> Course:
    paid = course.payments[0].time
    early = paid - _between(random, SECOND, 4 * SECOND)
    first = Parcel(1, early, early + 30 * HOUR)
    second = Parcel(1, paid + 20 * HOUR, paid + 40 * HOUR)
    return _replace(course, items=2, parcels=(first, second), closed=paid + 41 * HOUR)


def _paid_late(course: Course, random: Random) -> Course:
    late = _between(random, 40 * MINUTE, 3 * HOUR)
    return _shifted(course, course.placed[0] + late - course.payments[0].time)


def _paid_twice(course: Course, random: Random) -> Course:
    first = course.payments[0]
    again = _replace(first, time=first.time + _between(random, 10 * SECOND, 2 * MINUTE))
    return _replace(course, payments=(first, again))


def _paid_too_little(course: Course, _random: Random) -> Course:
    paid = _replace(course.payments[0], amount=(course.amount * Decimal("0.9")).quantize(Decimal("0.01")))
    return _replace(course, payments=(paid,))


def _paid_in_another_currency(course: Course, _random: Random) -> Course:
    other = "EUR" if course.currency == "USD" else "USD"
    return _replace(course, payments=(_replace(course.payments[0], currency=other),))


def _paid_before_placed(course: Course, random: Random) -> Course:
    return _shifted(course, course.placed[0] - _between(random, SECOND, 9 * SECOND) - course.payments[0].time)


def _neither_paid_nor_cancelled(course: Course, _random: Random) -> Course:
    return _replace(course, payments=(), checks=(), parcels=(), closed=None)


def _cancelled_though_paid(course: Course, random: Random) -> Course:
    assert course.closed is not None
    return _replace(course, cancelled=course.closed + _between(random, MINUTE, 5 * HOUR))


def _shipped_though_cancelled(course: Course, random: Random) -> Course:
    cancelled = course.placed[0] + _between(random, 10 * MINUTE, 30 * MINUTE)
    shipped = cancelled + _between(random, 3 * HOUR, 20 * HOUR)
    parcel = Parcel(course.items, shipped, shipped + 20 * HOUR)
    return _replace(course, payments=(), checks=(), parcels=(parcel,), cancelled=cancelled, closed=None)


def _never_checked(course: Course, _random: Random) -> Course:
    return _replace(course, checks=())


def _checked_late(course: Course, random: Random) -> Course:
    checked = course.payments[0].time + _between(random, 26 * HOUR, 40 * HOUR)
    return _replace(course, checks=(checked,), closed=max(course.closed or 0, checked + MINUTE))


def _checked_twice(course: Course, random: Random) -> Course:
    return _replace(course, checks=(*course.checks, course.checks[0] + _between(random, MINUTE, 2 * HOUR)))


def _parcel_lost(course: Course, _random: Random) -> Course:
    lost = _replace(course.parcels[-1], delivered=None)
    return _replace(course, parcels=(*course.parcels[:-1], lost), closed=None)


def _item_left_out(course: Course, _random: Random) -> Course:
    return _replace(course, items=course.items + 1)


def _placed_twice(course: Course, random: Random) -> Course:
    return _replace(course, placed=(course.placed[0], course.placed[0] + _between(random, SECOND, 3 * SECOND)))


def _placing_lost(course: Course, _random: Random) -> Course:
    return _replace(course, placed=())


def _refunded_too_much(course: Course, random: Random) -> Course:
    assert course.closed is not None
    time = course.closed + _between(random, HOUR, 10 * HOUR)
    return _replace(course, refunds=(Payment(time, course.amount + Decimal("10.00"), course.currency),))


def _reopened(course: Course, random: Random) -> Course:
    assert course.closed is not None
    return _replace(course, others=(("OrderReopened", course.closed + _between(random, MINUTE, HOUR)),))


def _payment_altered(course: Course, _random: Random) -> Course:
    """The payment comes once more, under the same id and time, with a larger amount: the smaller one is kept."""
    payment = next(event for event in events_of(course) if event.type == "PaymentReceived")
    altered = {**payment.attributes, "amount": course.amount + Decimal("1.00")}
    return _replace(course, copies=(_replace(payment, attributes=altered),))


def _shifted(course: Course, by: int) -> Course:
    """The course with all that follows its placing moved in time."""
    return _replace(
        course,
        payments=tuple(_replace(payment, time=payment.time + by) for payment in course.payments),
        checks=tuple(time + by for time in course.checks),
        parcels=tuple(
            _replace(parcel, shipped=(parcel.shipped or 0) + by, delivered=(parcel.delivered or 0) + by)
            for parcel in course.parcels
        ),
        closed=None if course.closed is None else course.closed + by,
    )


def _between(random: Random, least: int, most: int) -> int:
    """A span of whole milliseconds."""
    return random.randrange(least // 1000, most // 1000) * 1000


NEVER_SHIPPED = Fault("never_shipped", "paid, and never shipped", _never_shipped, ((_SHIPPED, "missing"),))

FAULTS: tuple[Fault, ...] = (
    NEVER_SHIPPED,
    Fault("never_checked", "no compliance check", _never_checked, ((_CHECKED, "missing"),)),
    Fault("parcel_lost", "a parcel that never arrived", _parcel_lost, ((_PARCELS, "missing"),)),
    Fault("in_limbo", "neither paid nor cancelled", _neither_paid_nor_cancelled, ((_PAID_OR_CANCELLED, "missing"),)),
    Fault(
        "placing_lost",
        "the message that the order was placed is lost",
        _placing_lost,
        ((_BEGINS, "missing"), (_ONE_ORDER, "missing"), (_PAID_IN_TIME, "missing")),
    ),
    Fault("shipped_late", "shipped after more than two days", _shipped_late, ((_SHIPPED, "late"),)),
    Fault("checked_late", "the compliance check took more than a day", _checked_late, ((_CHECKED, "late"),)),
    Fault("paid_late", "paid after more than half an hour", _paid_late, ((_PAID_IN_TIME, "late"),)),
    Fault("paid_twice", "charged twice", _paid_twice, ((_CHARGED_ONCE, "duplicate"),)),
    Fault("checked_twice", "checked twice", _checked_twice, ((_CHECKED_ONCE, "duplicate"),)),
    Fault("placed_twice", "one click, two orders", _placed_twice, ((_ONE_ORDER, "duplicate"),)),
    Fault("shipped_unpaid", "a parcel left before the payment", _shipped_before_paid, ((_PAID_FIRST, "out_of_order"),)),
    Fault(
        "paid_before_placed",
        "the payment is dated before the order",
        _paid_before_placed,
        ((_BEGINS, "out_of_order"), (_PAID_IN_TIME, "out_of_order")),
    ),
    Fault("paid_too_little", "paid less than was ordered", _paid_too_little, ((_AMOUNTS, "mismatch"),)),
    Fault("other_currency", "paid in another currency", _paid_in_another_currency, ((_AMOUNTS, "mismatch"),)),
    Fault("item_left_out", "an item was left out", _item_left_out, ((_ITEMS, "mismatch"),)),
    Fault("refunded_too_much", "refunded more than was paid", _refunded_too_much, ((_REFUNDS, "mismatch"),)),
    Fault("cancelled_paid", "cancelled though paid", _cancelled_though_paid, ((_PAID_OR_CANCELLED, "unexpected"),)),
    Fault(
        "shipped_cancelled",
        "cancelled, unpaid, and shipped all the same",
        _shipped_though_cancelled,
        ((_CANCELLED, "unexpected"), (_PAID_FIRST, "missing")),
    ),
    Fault("reopened", "a message of a type that nobody foresaw", _reopened, ((_UNEXPECTED, "unexpected"),)),
    Fault("payment_altered", "one payment id, two amounts", _payment_altered, ((_IDENTITY, "conflict"),)),
)
