"""Orders as they go on: events of many open cases, in the order in which they happen, as JSON records.

An order is placed, paid for, checked, shipped and, nearly every second one, delivered. Which of the open orders goes on is
drawn at random, so that events of a case lie far apart. One order in 170 has something wrong with it: shipped before it is
paid for, paid for twice, or with another amount. The rest of what a rule asks for is yet to come when it is judged.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime

__all__ = ["Orders"]

_FAULTS = 500
_TYPES = ("PaymentReceived", "ComplianceCheckDone", "ItemShipped", "ParcelDelivered")
_PRICED = ("OrderPlaced", "PaymentReceived")
_SHARES = (2.0, 3.0, 4.0, 4.45)
"""Of 4.45 events an order has one of placing and of each step but the last, which 45 in 100 orders have."""


class Orders:
    """The open orders by their next step. Deterministic, and picklable."""

    def __init__(self, seed: int = 1) -> None:
        self.orders = 0
        self.events = 0
        self._chance = random.Random(seed)
        self._next: tuple[list[int], ...] = ([], [], [], [])
        self._paid: set[int] = set()
        self._second = (-1, "")

    def take(self, events: int, start: int, span: int) -> list[bytes]:
        """The next so many events, evenly over `span` from `start` (microseconds UTC)."""
        bodies = []
        for place in range(events):
            at = start + place * span // events
            share = self._chance.random() * _SHARES[-1]
            step = next(n for n, upto in enumerate(_SHARES) if share < upto)
            if share < 1 or not self._next[step]:
                self._next[0].append(self.orders)
                bodies.append(self._body("OrderPlaced", self.orders, at))
                self.orders += 1
            else:
                bodies.append(self._go_on(step, at))
        return bodies

    def _go_on(self, step: int, at: int) -> bytes:
        waiting = self._next[step]
        place = int(self._chance.random() * len(waiting))
        waiting[place], waiting[-1] = waiting[-1], waiting[place]
        order = waiting.pop()
        fault = order % _FAULTS
        if step == 0 and fault == 0:
            self._next[1].append(order)
            return self._body("ItemShipped", order, at)
        if step == 0 and fault == 1 and order not in self._paid:
            self._paid.add(order)
            self._next[0].append(order)
        elif step < 2 or (step == 2 and order % 20 < 9):
            self._next[step + 1].append(order)
        return self._body(_TYPES[step], order, at, 100 if step == 0 and fault == 2 else 0)

    def _body(self, type_: str, order: int, at: int, more: int = 0) -> bytes:
        self.events += 1
        cents = 999 + order * 7919 % 100_000 + more
        money = f',"amount":{cents // 100}.{cents % 100:02d},"currency":"EUR"' if type_ in _PRICED else ""
        name = f"{self.events * 0x9E3779B97F4A7C15 % 2**64:016x}"
        text = f'{{"id":"{name}","type":"{type_}","order_id":"A{1_000_000 + order}","time":"{self._time(at)}"{money}}}'
        return text.encode()

    def _time(self, at: int) -> str:
        second, micros = divmod(at, 1_000_000)
        if second != self._second[0]:
            self._second = (second, datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S"))
        return f"{self._second[1]}.{micros:06d}Z"
