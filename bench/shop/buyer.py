"""Places one purchase after the other, and follows each by server-sent events to its result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from bench.shop.planned import Ended, Planned
from shop.customers.edge import Edge
from shop.customers.following import Following

__all__ = ["Token", "bought"]

Token = Callable[[int], str]
"""A customer's access token, by the customer's number."""

_PATH = "/api/v1/purchases"


def bought(
    web: str, purchases: Iterable[Planned], at_once: int, token: Token, key: str, told: Callable[[int], None]
) -> list[Ended]:
    """Make these, so many at once, each by a buyer with a connection of its own; how each ended. Purchases are drawn one
    after the other, and may take their time to come. `key` begins the idempotency keys; `told` gets how many have ended,
    whenever one has. Raises OutOfPatienceError."""
    left = iter(purchases)
    drawing, lock = threading.Lock(), threading.Lock()
    ended: list[Ended] = []

    def following() -> Iterator[Planned]:
        while True:
            with drawing:
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

    def signed() -> dict[str, str]:
        return {"Authorization": f"Bearer {token(planned.customer)}"}

    signed()  # who has to log in does so before the clock runs
    at, began = time.time(), time.perf_counter()
    answer = edge.ask("POST", _PATH, planned.body, {**signed(), "Idempotency-Key": key})
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
    following = Following(edge, f"{_PATH}/{id}", signed)
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
