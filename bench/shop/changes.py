"""How long it takes until every replica tells of a change: `python -m bench.shop --cache`.

A price is changed through the edge while each replica of the product service is asked for it again and again, directly: both
have it within the process, and in Redis. The time is from asking for the change to the answer of the replica that was the
last to tell of it, so the change itself, its commit and the look that finds it are in it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec

from bench.shop.figures import quantile
from bench.shop.others import Others
from bench.shop.planned import CURRENCY
from bench.shop.scene import Scene, opened
from bench.table import table
from shop.customers.edge import Edge, OutOfPatienceError
from shop.customers.people import log_in
from shop.local.environment import ADMIN

__all__ = ["Heard", "heard", "shown"]

_LIMIT = 30.0
_LOOK = 0.005
_REST = 0.05
_SECOND = 1.0


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, sorted: `answered` until the change was answered, `seen` until the last of so many replicas told of it, and
    `after` how much later than the answer that was. `others` is how many processors others kept busy."""

    replicas: int
    answered: Sequence[float]
    seen: Sequence[float]
    after: Sequence[float]
    others: float | None
    load: float

    @property
    def well(self) -> bool:
        """Whether each was seen by all within a second."""
        return bool(self.seen) and self.seen[-1] < _SECOND


def heard(changes: int, say: Callable[[str], None], folder: Path | None = None) -> Heard:
    """So many changes, one after the other, in a shop of its own. Raises UnavailableError where a server cannot be had, and
    OutOfPatienceError where a replica goes on telling the old price."""
    with TemporaryDirectory(dir=folder, prefix="shop-") as below:
        Path(below).chmod(0o755)
        with opened(Path(below).resolve(), say) as scene:
            return _heard(scene, changes)


def _heard(scene: Scene, changes: int) -> Heard:
    replicas = [Edge(scene.stack.where(name)) for name in scene.stack.names if name.startswith("product-")]
    token = log_in(scene.stack.web, ADMIN, scene.stack.addresses.secrets.admin)
    edge, signed = Edge(scene.stack.web), {"Authorization": f"Bearer {token}"}
    body = {"name": "tea", "description": "green", "brand_name": "Leaf", "currency": CURRENCY}
    made = edge.ask("POST", "/api/v1/products", {**body, "price": 1, "inventory": 1}, signed)
    path = f"/api/v1/products/{made.body['id']}"
    load, others, chance, answered, seen = os.getloadavg()[0], Others(), Random(1), [], []
    with ThreadPoolExecutor(len(replicas)) as looking:
        for price in range(2, changes + 2):
            for replica in replicas:
                _told(replica, path, price - 1)
            told = [looking.submit(_told, replica, path, price) for replica in replicas]
            time.sleep(_REST * chance.random())
            began = time.monotonic()
            edge.ask("PUT", path, {**body, "price": price}, signed)
            answered.append(time.monotonic() - began)
            seen.append(max(each.result() for each in told) - began)
    after = sorted(max(0.0, last - answer) for last, answer in zip(seen, answered, strict=True))
    return Heard(
        replicas=len(replicas),
        answered=sorted(answered),
        seen=sorted(seen),
        after=after,
        others=others.processors(),
        load=load,
    )


def _told(replica: Edge, path: str, price: int) -> float:
    """When a replica told of a price, by this process' clock."""
    limit = time.monotonic() + _LIMIT
    while replica.ask("GET", path).body["price"] != price:
        if time.monotonic() > limit:
            raise OutOfPatienceError(f"{path} is not told of at {price}")
        time.sleep(_LOOK)
    return time.monotonic()


def shown(came: Heard) -> str:
    """The table."""

    def row(name: str, took: Sequence[float]) -> tuple[str, ...]:
        return (name, *(f"{1000 * quantile(took, share):,.1f}" for share in (0.5, 0.95, 0.99, 1.0)))

    rows = [
        row("from asking for the change to its answer", came.answered),
        row(f"to the last of {came.replicas} replicas that tells of it", came.seen),
        row("from the answer to that", came.after),
    ]
    others = "?" if came.others is None else f"{came.others:.2f}"
    title = f"{len(came.seen)} changes of a price; load before {came.load:.1f}, others kept {others} processors busy"
    return table(title, ("milliseconds", "p50", "p95", "p99", "most"), rows)
