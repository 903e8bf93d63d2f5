"""Where the time of a purchase goes, from what the services noted: all clocks are this machine's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import psycopg

from bench.shop.planned import Ended

__all__ = ["HOPS", "hops"]

HOPS = (
    "request: token, prices",
    "to the orchestrator, it begins",
    "to product, it takes the units",
    "answer to the orchestrator",
    "to order, it writes the order",
    "answer to the orchestrator ",
    "to payment, it takes the money",
    "answer to the orchestrator  ",
    "to purchase, told to the buyer",
)
"""Each from where the one before it ends. But the first, each is a commit, a relay, the broker, and a reader."""

_STEPS = ("UPDATE_PRODUCT_INVENTORY", "CREATE_ORDER", "CREATE_PAYMENT")
_NOTED = {
    "purchase": "select id, extract(epoch from created_at)::float8 from purchases where id = any(%s)",
    "product": "select purchase_id, extract(epoch from reserved_at)::float8 from reservations where purchase_id = any(%s)",
    "order": "select purchase_id, extract(epoch from created_at)::float8 from orders where purchase_id = any(%s)",
    "payment": "select purchase_id, extract(epoch from received_at)::float8 from payments where purchase_id = any(%s)",
}


def hops(databases: Mapping[str, str], ended: Sequence[Ended]) -> dict[str, float]:
    """The median of each hop of those that succeeded, in milliseconds."""
    good = {each.id: each for each in ended if each.status == "SUCCESS"}
    noted = {name: _noted(databases[name], query, list(good)) for name, query in _NOTED.items()}
    taken: dict[str, list[float]] = {name: [] for name in HOPS}
    for id, each in good.items():
        told = {(step, result): time / 1e6 for step, result, time in each.steps}
        instants = [each.at, noted["purchase"][id]]
        for step, service in zip(_STEPS, ("product", "order", "payment"), strict=True):
            if step == _STEPS[0]:
                instants.append(told[step, "EXECUTE"])
            instants += [noted[service][id], told[step, "SUCCESS"]]
        instants.append(each.at + each.seconds)
        for name, begin, end in zip(HOPS, instants, instants[1:], strict=False):
            taken[name].append(1000 * (end - begin))
    return {name: median(times) if times else 0.0 for name, times in taken.items()}


def _noted(url: str, query: str, ids: list[Any]) -> dict[Any, float]:
    with psycopg.connect(url, autocommit=True) as connection:
        return dict(connection.execute(query.encode(), (ids,)).fetchall())
