"""Places one purchase after the other, and follows each by server-sent events to its result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse

import msgspec

from bench.shop.edge import AWAY, Edge, OutOfPatienceError
from bench.shop.planned import Ended, Planned
from shop.contracts.commands import PurchaseEnded, PurchaseStepChanged

__all__ = ["Token", "bought"]

Token = Callable[[int], str]
"""A customer's access token, by the customer's number."""

_PATH = "/api/v1/purchases"
_step = msgspec.json.Decoder(PurchaseStepChanged).decode
_result = msgspec.json.Decoder(PurchaseEnded).decode


def bought(
    web: str, purchases: Sequence[Planned], at_once: int, token: Token, key: str, told: Callable[[int], None]
) -> list[Ended]:
    """Make these, so many at once, each by a buyer with a connection of its own; how each ended. `key` begins the
    idempotency keys; `told` gets how many have ended, whenever one has. Raises OutOfPatienceError."""
    left = iter(purchases)
    lock = threading.Lock()
    ended: list[Ended] = []

    def following() -> Iterator[Planned]:
        while True:
            with lock:
                each = next(left, None)
            if each is None:
                return
            yield each

    def buy() -> None:
        edge = Edge(web)
        try:
            for each in following():
                one = _bought(edge, each, token, f"{key}-{each.number}")
                with lock:
                    ended.append(one)
                    many = len(ended)
                told(many)
        finally:
            edge.close()

    with ThreadPoolExecutor(at_once) as buyers:
        for each in [buyers.submit(buy) for _ in range(at_once)]:
            each.result()
    return ended


def _bought(edge: Edge, planned: Planned, token: Token, key: str) -> Ended:
    before = edge.again
    body = {
        "items": [{"product_id": str(product), "quantity": quantity} for product, quantity in planned.lines],
        "currency": planned.currency,
    }

    def signed() -> dict[str, str]:
        return {"Authorization": f"Bearer {token(planned.customer)}"}

    signed()  # who has to log in does so before the clock runs
    at, began = time.time(), time.perf_counter()
    answer = edge.ask("POST", _PATH, body, {**signed(), "Idempotency-Key": key})
    answered = time.perf_counter() - began
    if answer.status != 202:
        return Ended(
            planned=planned,
            status="REFUSED",
            id=None,
            reason=f"{answer.status} {answer.body.get('error')}",
            fields=frozenset(answer.body.get("fields", ())),
            seconds=answered,
            answered=answered,
            at=at,
            again=edge.again - before,
        )
    id = answer.body["id"]
    following = _Following(edge, f"{_PATH}/{id}/events", signed)
    result = following.to_its_end()
    return Ended(
        planned=planned,
        status=result.result,
        id=int(id),
        reason=result.reason,
        fields=frozenset(),
        seconds=time.perf_counter() - began,
        answered=answered,
        at=at,
        again=edge.again - before,
        steps=tuple((each.step, each.result, each.time) for each in following.steps),
        ended_at=result.time,
        gap=following.gap,
    )


class _Following:
    """Reads what is told of a purchase; where the stream breaks, another goes on behind what was read."""

    def __init__(self, edge: Edge, path: str, headers: Callable[[], dict[str, str]]) -> None:
        self.steps: list[PurchaseStepChanged] = []
        self.gap = False
        self._edge, self._path, self._headers = edge, path, headers
        self._last = 0

    def to_its_end(self) -> PurchaseEnded:
        limit = time.monotonic() + 300
        while time.monotonic() < limit:
            resumed = {"Last-Event-ID": str(self._last)} if self._last else {}
            response = self._edge.opened("GET", self._path, None, {**self._headers(), **resumed})
            if response.status != 200:
                raise OutOfPatienceError(f"{self._path}: {response.status} {response.read(500)!r}")
            try:
                event: dict[bytes, bytes] = {}
                while line := response.readline():
                    name, _, value = line.rstrip(b"\n").partition(b": ")
                    if name:
                        event[name] = value
                        continue
                    if b"data" in event and (result := self._told(event)) is not None:
                        self._finish(response)
                        return result
                    event = {}
            except AWAY:
                self._edge.close()
            self._edge.again += 1
        raise OutOfPatienceError(f"{self._path} has not come to its end")

    def _finish(self, response: HTTPResponse) -> None:
        """The end of the stream, so that its connection can be used again."""
        try:
            response.read()
        except AWAY:
            self._edge.close()

    def _told(self, event: dict[bytes, bytes]) -> PurchaseEnded | None:
        number = int(event[b"id"])
        self.gap = self.gap or number != self._last + 1
        self._last = number
        if event[b"event"] == b"result":
            return _result(event[b"data"])
        self.steps.append(_step(event[b"data"]))
        return None
