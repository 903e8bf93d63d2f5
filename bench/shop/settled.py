"""Waits until nothing is under way any more: no saga, no message that is to be sent, nothing that is yet to be shipped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import psycopg

from shop.local.stack import Stack

__all__ = ["settled"]

_LOOK = 0.2
_UNSENT = "select count(*) from sagacity.outbox"
_SENDERS = ("purchase", "product", "order", "payment", "orchestrator", "warehouse", "compliance")
_UNDER_WAY = "select count(*) from sagacity.sagas where ended is null"
_BURIED = "select count(*) from sagacity.dead_letters"
_MANY = "select count(*) from {}"


def settled(
    stack: Stack, databases: Mapping[str, str], patience: float, unshipped: Callable[[], int] = lambda: 0
) -> tuple[float, list[str]]:
    """How many seconds that took, and what is still under way after so many, in words. `unshipped` tells how many payments
    the warehouse was made to forget so far."""
    began = time.monotonic()
    while True:
        left = _left(stack, databases, unshipped())
        if not left or time.monotonic() - began > patience:
            buried = {name: many for name in _SENDERS if (many := _counted(databases[name], _BURIED))}
            left += [f"{many} dead letters in {name}" for name, many in buried.items()]
            return time.monotonic() - began, left
        time.sleep(_LOOK)


def _left(stack: Stack, databases: Mapping[str, str], unshipped: int) -> list[str]:
    try:
        left = [f"{part.name} is {part.condition}" for part in stack.state().parts if part.condition != "ready"]
        unsent = {name: _counted(databases[name], _UNSENT) for name in _SENDERS}
        left += [f"{many} messages of {name} are not sent" for name, many in unsent.items() if many]
        if under_way := _counted(databases["orchestrator"], _UNDER_WAY):
            left.append(f"{under_way} sagas have not ended")
        paid = _counted(databases["payment"], _MANY.format("payments"))
        for name, table, due in (("warehouse", "shipments", paid - unshipped), ("compliance", "checks", paid)):
            if (many := _counted(databases[name], _MANY.format(table))) != due:
                left.append(f"{name} has done {many} of {due} payments")
    except psycopg.Error as error:
        return [f"the databases cannot be looked at: {error}"]
    return left


def _counted(url: str, query: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    return 0 if row is None else int(row[0])
