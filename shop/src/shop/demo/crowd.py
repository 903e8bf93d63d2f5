"""The customers: they look around and buy, so many a second, and each waits for the result of what was bought."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random

import msgspec

from shop.customers.edge import Edge
from shop.customers.following import Following
from shop.customers.people import Customers
from shop.demo.wares import CURRENCY, Shelf

__all__ = ["Bought", "Crowd"]

_AT_ONCE = 16
_DECLINED = 0.08
"""The share that cannot be paid for."""
_PATH = "/api/v1/purchases"


class Bought(msgspec.Struct, frozen=True, kw_only=True):
    """A purchase, as its customer was told of it. `id` is None where it was refused at once; `seconds` are those from
    asking to the result; `dear` says that the payment had to be declined."""

    number: int
    id: str | None
    status: str
    reason: str | None
    dear: bool
    seconds: float
    again: int


class Crowd:
    """`rate` is in purchases a second, over `seconds`. `offset` is how many seconds ago the first began; 0 before that."""

    def __init__(self, web: str, shelf: Shelf, customers: Customers, *, rate: float, seconds: float, seed: int) -> None:
        self.seconds = seconds
        self.total = max(1, round(rate * seconds))
        self._web, self._shelf, self._customers, self._seed = web, shelf, customers, seed
        self._began: float | None = None
        self._lock = threading.Lock()
        self._next = 0
        self._over = threading.Event()
        self._accepted: set[str] = set()
        self._ended: list[Bought] = []

    @property
    def offset(self) -> float:
        return 0.0 if self._began is None else time.monotonic() - self._began

    @property
    def ended(self) -> list[Bought]:
        """Those that have ended, in that order."""
        with self._lock:
            return list(self._ended)

    @property
    def under_way(self) -> int:
        """How many were taken on, and have not ended."""
        with self._lock:
            return len(self._accepted)

    def run(self, told: Callable[[Bought], None]) -> list[Bought]:
        """All of it; `told` gets each purchase that has ended. Raises OutOfPatienceError."""
        began = self._began = time.monotonic()
        with ThreadPoolExecutor(_AT_ONCE) as buyers:
            for each in [buyers.submit(self._buyer, began, told) for _ in range(_AT_ONCE)]:
                each.result()
        return self.ended

    def stop(self) -> None:
        """Nobody begins another purchase."""
        self._over.set()

    def _buyer(self, began: float, told: Callable[[Bought], None]) -> None:
        edge = Edge(self._web)
        try:
            while (number := self._drawn()) is not None:
                due = began + number * self.seconds / self.total
                if self._over.wait(max(0.0, due - time.monotonic())):
                    return
                one = self._bought(edge, number, Random(f"{self._seed}/{number}"))
                with self._lock:
                    self._ended.append(one)
                told(one)
        except BaseException:
            self.stop()
            raise
        finally:
            edge.close()

    def _drawn(self) -> int | None:
        with self._lock:
            self._next += 1
            return self._next - 1 if self._next <= self.total else None

    def _bought(self, edge: Edge, number: int, chance: Random) -> Bought:
        customer = chance.randrange(self._customers.many)
        dear = chance.random() < _DECLINED
        chosen = [self._shelf.dear] if dear else chance.sample(self._shelf.common, chance.randint(1, 3))
        edge.ask("GET", "/api/v1/products?limit=20")
        for product in chosen:
            edge.ask("GET", f"/api/v1/products/{product}")
        items = [{"product_id": str(product), "quantity": 1 if dear else chance.randint(1, 3)} for product in chosen]
        signed, before, began = self._customers.signed(customer), edge.again, time.monotonic()
        headers = {**signed, "Idempotency-Key": f"demo-{self._seed}-{number}"}
        answer = edge.ask("POST", _PATH, {"items": items, "currency": CURRENCY}, headers)
        if answer.status != 202:
            return Bought(
                number=number,
                id=None,
                status="REFUSED",
                reason=str(answer.body.get("error")),
                dear=dear,
                seconds=time.monotonic() - began,
                again=edge.again - before,
            )
        id = str(answer.body["id"])
        with self._lock:
            self._accepted.add(id)
        result = Following(edge, f"{_PATH}/{id}", lambda: self._customers.signed(customer)).to_its_end()
        with self._lock:
            self._accepted.discard(id)
        return Bought(
            number=number,
            id=id,
            status=result.result,
            reason=result.reason,
            dear=dear,
            seconds=time.monotonic() - began,
            again=edge.again - before,
        )
