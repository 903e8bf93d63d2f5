"""Live traffic of a shop, with faults planted in it: what is handed in when, and what must be found.

Orders come at an even pace, each as four events from four systems, and pass each other on the way: most messages come at
once, some up to a second late. The same seed gives the same traffic, whenever it starts. Offsets are microseconds after
the start; event times are microseconds since 1970-01-01T00:00Z.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from random import Random

import msgspec

from sagacity.demo.answers import Answer, Expected
from sagacity.demo.course import SECOND, Course, Parcel, Payment, events_of
from sagacity.demo.handed_in import handed_in
from sagacity.demo.live_faults import FAULTS, NEVER_SHIPPED, LiveFault
from sagacity.workflow.trace import Event

__all__ = ["SETTLED", "WORKFLOW", "LiveOrder", "Message", "Pace", "live_orders", "messages"]

WORKFLOW = "live.workflow.yaml"

SETTLED = 11 * SECOND
"""However an order goes, all that can be said of it is said when as-of is this long after its placing."""

_FIRST_NUMBER = 120
_FOUR_FIFTY = 123
_EACH_FAULT = 3
_SHARE = 6
_MILLISECOND = 1000


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """For how many seconds orders are placed, how many a second, and the seed. There are always enough of them for every
    fault to be planted once, however short the time."""

    seconds: float = 25.0
    per_second: float = 4.0
    seed: int = 7

    @property
    def orders(self) -> int:
        return max(round(self.seconds * self.per_second), _EACH_FAULT * len(FAULTS))

    @property
    def every(self) -> int:
        """Microseconds from one order to the next."""
        return int(self.seconds * SECOND / self.orders)


class LiveOrder(msgspec.Struct, frozen=True):
    """One order: when it is placed (offset), its events in the order of their times, the fault planted in it, if any."""

    case: str
    placed: int
    events: tuple[Event, ...]
    fault: LiveFault | None = None
    note: str = ""

    @property
    def answer(self) -> Answer | None:
        """What must be found."""
        if self.fault is None:
            return None
        expected = tuple(Expected(expectation, outcome) for expectation, outcome in self.fault.findings)
        return Answer(self.case, self.fault.name, self.note or self.fault.story, expected)


class Message(msgspec.Struct, frozen=True):
    """A record that is handed in: when (offset), of which source, of which order.

    One that is held up comes no earlier than a finding about its absence does. `again`: it was handed in before.
    """

    at: int
    source: str
    case: str
    body: bytes
    held_up: bool = False
    again: bool = False


def live_orders(pace: Pace, start: int) -> Iterator[LiveOrder]:
    """Every order of the traffic that starts at an instant, in the order of placing."""
    start = start // _MILLISECOND * _MILLISECOND
    faulty = _faulty(pace)
    for n in range(pace.orders):
        number = _FIRST_NUMBER + n
        random = Random(f"{pace.seed}/{number}/live")
        placed = (n * pace.every + random.randrange(pace.every // 2 + 1)) // _MILLISECOND * _MILLISECOND
        course = _ordinary(str(number), start + placed, random)
        fault, note = faulty.get(n), ""
        if number == _FOUR_FIFTY:
            fault, note, course = NEVER_SHIPPED, "of $4.50: paid, and never shipped", _four_fifty(course)
        events = events_of(course if fault is None else fault.plant(course))
        yield LiveOrder(str(number), placed, events, fault, note)


def messages(orders: Iterable[LiveOrder], pace: Pace, start: int) -> list[Message]:
    """All that is handed in for these orders, in the order of handing in."""
    start = start // _MILLISECOND * _MILLISECOND
    found: list[Message] = []
    for order in orders:
        random = Random(f"{pace.seed}/{order.case}/handed in")
        for event in order.events:
            source, body = handed_in(order.case, event)
            at = event.time - start + _delay(random)
            held_up = order.fault is not None and order.fault.held_up == event.type
            found.append(Message(at, source, order.case, body, held_up))
            if order.fault is not None and order.fault.twice == event.type:
                found.append(Message(at + 400 * _MILLISECOND, source, order.case, body, again=True))
    return sorted(found, key=lambda message: message.at)


def _faulty(pace: Pace) -> dict[int, LiveFault]:
    """Which of the orders get a fault, by their place: each fault once, then again, at even distances."""
    faults = Random(f"{pace.seed}/faults").sample(FAULTS, len(FAULTS))
    count = max(len(FAULTS), pace.orders // _SHARE)
    places = [(2 * n + 1) * pace.orders // (2 * count) for n in range(count)]
    taken = _FOUR_FIFTY - _FIRST_NUMBER
    return {place + (place == taken): faults[n % len(faults)] for n, place in enumerate(places)}


def _ordinary(case: str, placed: int, random: Random) -> Course:
    """An order that is paid, checked and shipped, well within every deadline.

    Steps that follow from each other are further apart than a message is late.
    """
    amount = Decimal(min(int(random.lognormvariate(7.6, 1.1)) + 99, 2_500_000)).scaleb(-2)
    items = min(1 + int(random.expovariate(0.8)), 9)
    paid = placed + _between(random, 1100, 1500)
    return Course(
        case=case,
        amount=amount,
        currency="USD",
        items=items,
        placed=(placed,),
        payments=(Payment(paid, amount, "USD"),),
        checks=(paid + _between(random, 1100, 1800),),
        parcels=(Parcel(items, paid + _between(random, 1200, 2000), None),),
    )


def _four_fifty(course: Course) -> Course:
    paid = msgspec.structs.replace(course.payments[0], amount=Decimal("4.50"))
    return msgspec.structs.replace(course, amount=paid.amount, items=1, payments=(paid,))


def _delay(random: Random) -> int:
    return _between(random, 0, 100) if random.random() < 0.8 else _between(random, 300, 1000)


def _between(random: Random, least: int, most: int) -> int:
    """A span of so many milliseconds, in microseconds."""
    return random.randrange(least, most) * _MILLISECOND
