"""Holds the databases against each other, and against what the buyers were told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

import sagacity
from bench.shop.planned import Ended, Wares

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
_ENDS = "select status, count(*)::bigint from purchases where id = any(%(ids)s) group by status"
_DOUBLED = "select 'rows', count(*)::bigint from purchases where created_at >= to_timestamp(%(since)s)"
_SUMS = {
    "product": "select count(*), coalesce(sum(amount), 0)::bigint from reservations where released_at is null and {}",
    "order": "select count(*), coalesce(sum(amount), 0)::bigint from orders where status = 'CREATED' and {}",
    "payment": "select count(*), coalesce(sum(amount), 0)::bigint from payments where status = 'RECEIVED' and {}",
}
_PAID = "select count(*), coalesce(sum(amount), 0)::bigint from {} where purchase_id = any(%(ids)s)"


def found(databases: Mapping[str, str]) -> list[str]:
    """What `sagacity check` finds in the databases' tables, in words."""
    sources = {name: f"{databases[service]}#{table}" for name, (service, table) in _TABLES.items()}
    result = sagacity.check(_WORKFLOW, sources, as_of="end")
    return [f"purchase {each.case}: {each.expectation}" for each in result.findings]


def disagreements(databases: Mapping[str, str], ended: Sequence[Ended], wares: Wares, since: float) -> list[str]:
    """Which sums are not what the buyers were told, in words: units by product, orders, payments, shipments and checks by
    number and amount, purchases by how they ended. `since` is when the first was asked for."""
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
    wrong += _differences(
        "ends", dict(_rows(databases["purchase"], _ENDS, given)), Counter(each.status for each in taken_on)
    )
    wrong += _differences("purchases", dict(_rows(databases["purchase"], _DOUBLED, given)), {"rows": len(taken_on)})
    for service, query in _SUMS.items():
        [(many, sum)] = _rows(databases[service], query.format("purchase_id = any(%(ids)s)"), given)
        wrong += _differences(service, {"many": many, "amount": sum}, {"many": len(good), "amount": amount})
    # What was paid is shipped and checked, be it refunded later.
    [(paid, sum)] = _rows(databases["payment"], _PAID.format("payments"), given)
    for service, table in (("warehouse", "shipments"), ("compliance", "checks")):
        [(many, done)] = _rows(databases[service], _PAID.format(table), given)
        wrong += _differences(service, {"many": many, "amount": done}, {"many": paid, "amount": sum})
    return wrong


def _rows(url: str, query: str, given: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode(), given).fetchall()


def _differences(name: str, there: Mapping[Any, int], told: Mapping[Any, int]) -> list[str]:
    return [
        f"{name}: {key} is {there.get(key, 0)}, and must be {told.get(key, 0)}"
        for key in sorted({*there, *told}, key=str)
        if there.get(key, 0) != told.get(key, 0)
    ]
