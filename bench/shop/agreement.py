"""Holds the databases against each other, and against what the buyers were told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

import sagacity
from bench.shop.planned import Ended, Wares
from sagacity.reconcile.result import Finding

__all__ = ["disagreements", "found"]

_WORKFLOW = Path(__file__).resolve().parents[2] / "shop" / "workflows" / "databases.workflow.yaml"
_TABLES = {
    "purchases": ("purchase", "purchases"),
    "reservations": ("product", "reservations"),
    "orders": ("order", "orders"),
    "payments": ("payment", "payments"),
    "shipments": ("warehouse", "shipments"),
    "checks": ("compliance", "checks"),
}
_STOCK = "select id, inventory from products where id = any(%(wares)s)"
_RESERVED = """
select product_id, sum(quantity)::bigint from reservation_lines join reservations using (purchase_id)
where released_at is null and purchase_id = any(%(ids)s) group by product_id
"""
_ORDERED = """
select product_id, sum(quantity)::bigint from order_lines join orders on orders.id = order_id
where status = 'CREATED' and purchase_id = any(%(ids)s) group by product_id
"""
_ENDS = "select id, status from purchases where id = any(%(ids)s)"
_DOUBLED = "select 'rows', count(*)::bigint from purchases where created_at >= to_timestamp(%(since)s)"
_SUMS = {
    "product": "select count(*), coalesce(sum(amount), 0)::bigint from reservations where released_at is null and {}",
    "order": "select count(*), coalesce(sum(amount), 0)::bigint from orders where status = 'CREATED' and {}",
    "payment": "select count(*), coalesce(sum(amount), 0)::bigint from payments where status = 'RECEIVED' and {}",
}
_PAID = "select purchase_id, amount from payments where purchase_id = any(%(ids)s)"
_FOLLOWS = {
    "warehouse": "select purchase_id, amount from shipments where purchase_id = any(%(ids)s)",
    "compliance": "select purchase_id, amount from checks where purchase_id = any(%(ids)s)",
}
"""What is done for each payment, whether it was given back afterwards or not."""


def found(databases: Mapping[str, str]) -> list[Finding]:
    """What `sagacity check` finds in the databases' tables."""
    sources = {name: f"{databases[service]}#{table}" for name, (service, table) in _TABLES.items()}
    return list(sagacity.check(_WORKFLOW, sources, as_of="end").findings)


def disagreements(
    databases: Mapping[str, str],
    ended: Sequence[Ended],
    wares: Wares,
    since: float,
    unshipped: Collection[int] = frozenset(),
) -> list[str]:
    """Which sums are not what the buyers were told, in words: units by product, orders and payments by number and amount,
    how each purchase ended; and which payments were not followed by their shipment and their check. `since` is when the
    first was asked for, `unshipped` are purchases that the warehouse was made to forget."""
    taken_on = [each for each in ended if each.id is not None]
    good = [each for each in taken_on if each.status == "SUCCESS"]
    sold = Counter({ware.id: 0 for ware in wares.every})
    prices = {ware.id: ware.price for ware in wares.every}
    amount = 0
    for each in good:
        for product, quantity in each.planned.lines:
            sold[product] += quantity
            amount += quantity * prices[product]
    given = {"ids": [each.id for each in taken_on], "wares": list(prices), "since": since - 1.0}

    stock = dict(_rows(databases["product"], _STOCK, given))
    wrong = _differences("stock", stock, {ware.id: ware.stock - sold[ware.id] for ware in wares.every})
    for name, service, query in (("reserved", "product", _RESERVED), ("ordered", "order", _ORDERED)):
        wrong += _differences(name, dict(_rows(databases[service], query, given)), {id: n for id, n in sold.items() if n})
    ends = dict(_rows(databases["purchase"], _ENDS, given))
    wrong += _differences("end of purchase", ends, {each.id: each.status for each in taken_on})
    wrong += _differences("purchases", dict(_rows(databases["purchase"], _DOUBLED, given)), {"rows": len(taken_on)})
    for service, query in _SUMS.items():
        [(many, sum)] = _rows(databases[service], query.format("purchase_id = any(%(ids)s)"), given)
        wrong += _differences(service, {"many": many, "amount": sum}, {"many": len(good), "amount": amount})
    paid = dict(_rows(databases["payment"], _PAID, given))
    for service, query in _FOLLOWS.items():
        left_out = unshipped if service == "warehouse" else ()
        due = {id: amount for id, amount in paid.items() if id not in left_out}
        wrong += _differences(service, dict(_rows(databases[service], query, given)), due)
    return wrong


def _rows(url: str, query: str, given: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode(), given).fetchall()


def _differences(name: str, there: Mapping[Any, Any], told: Mapping[Any, Any]) -> list[str]:
    return [
        f"{name}: {key} is {there.get(key, 0)}, and must be {told.get(key, 0)}"
        for key in sorted({*there, *told}, key=str)
        if there.get(key, 0) != told.get(key, 0)
    ]
