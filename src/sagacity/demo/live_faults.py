"""The faults that are planted in live traffic, as data: what is done to an order's course or to its messages, and which
findings must follow.

Every fault is planted in an order of its own that is otherwise in good shape, so that the findings are exactly known. The
expectations are those of `live.workflow.yaml`, by name.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from sagacity.demo.answers import Outcome
from sagacity.demo.course import SECOND, Course, Parcel

__all__ = ["FAULTS", "NEVER_SHIPPED", "LiveFault"]

_replace = msgspec.structs.replace

_PAID = "PaymentReceived within 5s of OrderPlaced"
_CHARGED_ONCE = "PaymentReceived at most once"
_AMOUNTS = "PaymentReceived.amount = OrderPlaced.amount"
_CHECKED = "ComplianceCheckDone within 5s of PaymentReceived"
_SHIPPED = "ItemShipped within 5s of PaymentReceived"
_PAID_FIRST = "ItemShipped after PaymentReceived"

_MILLISECOND = 1000


class LiveFault(msgspec.Struct, frozen=True):
    """A fault: its name, what went wrong, how it is done to an order, and the findings (expectation, outcome) it yields.

    `held_up` is the type of event whose message comes only once its absence has become a finding, `twice` the type whose
    message is delivered twice; None for neither.
    """

    name: str
    story: str
    plant: Callable[[Course], Course]
    findings: tuple[tuple[str, Outcome], ...] = ()
    held_up: str | None = None
    twice: str | None = None


def _as_it_is(course: Course) -> Course:
    return course


def _never_paid(course: Course) -> Course:
    return _replace(course, payments=(), checks=(), parcels=())


def _paid_late(course: Course) -> Course:
    return _shifted(course, course.placed[0] + 6500 * _MILLISECOND - course.payments[0].time)


def _paid_too_little(course: Course) -> Course:
    paid = _replace(course.payments[0], amount=(course.amount * Decimal("0.9")).quantize(Decimal("0.01")))
    return _replace(course, payments=(paid,))


def _charged_twice(course: Course) -> Course:
    first = course.payments[0]
    return _replace(course, payments=(first, _replace(first, time=first.time + 300 * _MILLISECOND)))


def _shipped_before_paid(course: Course) -> Course:
    paid = course.payments[0].time
    early, rest = Parcel(1, paid - 400 * _MILLISECOND, None), Parcel(1, paid + 1500 * _MILLISECOND, None)
    return _replace(course, items=2, parcels=(early, rest))


def _never_checked(course: Course) -> Course:
    return _replace(course, checks=())


def _never_shipped(course: Course) -> Course:
    return _replace(course, parcels=())


def _shifted(course: Course, by: int) -> Course:
    """The course with all that follows its placing moved in time, and the rest of it done at once."""
    paid = course.payments[0].time + by
    return _replace(
        course,
        payments=(_replace(course.payments[0], time=paid),),
        checks=(paid + SECOND,),
        parcels=(Parcel(course.items, paid + SECOND, None),),
    )


NEVER_SHIPPED = LiveFault("never_shipped", "paid, and never shipped", _never_shipped, ((_SHIPPED, "missing"),))

FAULTS: tuple[LiveFault, ...] = (
    LiveFault("never_paid", "never paid", _never_paid, ((_PAID, "missing"),)),
    LiveFault("paid_late", "paid after its deadline", _paid_late, ((_PAID, "late"),)),
    LiveFault("paid_too_little", "paid less than was ordered", _paid_too_little, ((_AMOUNTS, "mismatch"),)),
    LiveFault("charged_twice", "charged twice", _charged_twice, ((_CHARGED_ONCE, "duplicate"),)),
    LiveFault("shipped_unpaid", "a parcel left before the payment", _shipped_before_paid, ((_PAID_FIRST, "out_of_order"),)),
    LiveFault("never_checked", "no compliance check", _never_checked, ((_CHECKED, "missing"),)),
    LiveFault("delivered_twice", "its payment's message is delivered twice: harmless", _as_it_is, twice="PaymentReceived"),
    LiveFault(
        "held_up",
        "the message that it was shipped is held up, and comes in the end",
        _as_it_is,
        ((_SHIPPED, "resolved"),),
        held_up="ItemShipped",
    ),
)
