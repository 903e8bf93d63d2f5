"""The course that an order takes, as a value, and the events that it leaves behind.

Times are microseconds since 1970-01-01T00:00Z, always whole milliseconds, since two of the shop's systems keep no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from sagacity.workflow.trace import Event, Value

__all__ = ["DAY", "HOUR", "MINUTE", "SECOND", "Course", "Parcel", "Payment", "events_of"]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Payment(msgspec.Struct, frozen=True):
    """Money that moved, in or (as a refund) out."""

    time: int
    amount: Decimal
    currency: str


class Parcel(msgspec.Struct, frozen=True):
    """A parcel: how many items it holds, when it was handed over and when it was delivered; None for never."""

    items: int
    shipped: int | None
    delivered: int | None


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one order, told by the people who handled it rather than by the messages that they sent.

    `placed` holds the order's placing, more than one time where it was sent twice. `others` are events that nobody
    foresaw, as (type, time). `copies` are further events as they stand, for what no honest course could yield.
    """

    case: str
    amount: Decimal
    currency: str
    items: int
    placed: tuple[int, ...]
    payments: tuple[Payment, ...] = ()
    checks: tuple[int, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    refunds: tuple[Payment, ...] = ()
    cancelled: int | None = None
    closed: int | None = None
    others: tuple[tuple[str, int], ...] = ()
    copies: tuple[Event, ...] = ()


def events_of(course: Course) -> tuple[Event, ...]:
    """The events of an order, in the order of their times."""
    events = [
        *_placings(course),
        *_money("PaymentReceived", "pay", course.case, course.payments),
        *(_event("ComplianceCheckDone", f"cc-{course.case}-{n}", time) for n, time in enumerate(course.checks, 1)),
        *_parcels(course),
        *_money("RefundIssued", "ref", course.case, course.refunds),
        *_marks(course),
        *course.copies,
    ]
    return tuple(sorted(events, key=lambda event: event.time))


def _placings(course: Course) -> Iterable[Event]:
    for n, time in enumerate(course.placed, 1):
        yield _event(
            "OrderPlaced",
            f"ord-{course.case}-placed-{n}",
            time,
            {"amount": course.amount, "amount.currency": course.currency, "items": course.items},
        )


def _money(type_: str, prefix: str, case: str, payments: tuple[Payment, ...]) -> Iterable[Event]:
    for n, payment in enumerate(payments, 1):
        amount: dict[str, Value] = {"amount": payment.amount, "amount.currency": payment.currency}
        yield _event(type_, f"{prefix}-{case}-{n}", payment.time, amount)


def _parcels(course: Course) -> Iterable[Event]:
    for n, parcel in enumerate(course.parcels, 1):
        label = f"P-{course.case}-{n}"
        if parcel.shipped is not None:
            yield _event("ItemShipped", f"{label}-out", parcel.shipped, {"parcel": label, "items": parcel.items})
        if parcel.delivered is not None:
            yield _event("ParcelDelivered", f"{label}-in", parcel.delivered, {"parcel": label})


def _marks(course: Course) -> Iterable[Event]:
    if course.cancelled is not None:
        yield _event("OrderCancelled", f"ord-{course.case}-cancelled", course.cancelled)
    if course.closed is not None:
        yield _event("OrderClosed", f"ord-{course.case}-closed", course.closed)
    for n, (type_, time) in enumerate(course.others, 1):
        yield _event(type_, f"ord-{course.case}-other-{n}", time)


def _event(type_: str, id_: str, time: int, attributes: dict[str, Value] | None = None) -> Event:
    return Event(type_, time, id=id_, attributes=attributes or {})
