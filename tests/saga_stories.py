"""Definitions that tests of sagas tell stories about."""

from __future__ import annotations

from datetime import timedelta

from sagacity.saga.definition import Retry, Saga, Step

__all__ = ["PURCHASE", "SECONDS", "branching", "purchase"]

SECONDS = timedelta(seconds=1)

_QUICK = Retry(attempts=2, first=SECONDS, most=SECONDS, on="transient")


def purchase(**settings: object) -> Saga:
    """Two steps that can be undone, a pivot, one that is bound to succeed: one after the other."""
    steps = (
        Step(
            "reserve", "ReserveInventory", "inventory", "ReleaseInventory", timeout=10 * SECONDS, retry=_QUICK,
            payload={"items": "input.items"}, compensation_payload={"reservation": "replies.reserve.id"},
        ),
        Step("order", "CreateOrder", "orders", "CancelOrder", timeout=10 * SECONDS, retry=_QUICK,
             compensation_retry=Retry(attempts=2, first=SECONDS, most=SECONDS)),
        Step("pay", "TakePayment", "payments", kind="pivot", timeout=10 * SECONDS, retry=_QUICK,
             payload={"order": "replies.order.id", "saga": "saga.id"}),
        Step("ship", "ShipOrder", "shipping", kind="retriable", timeout=10 * SECONDS, retry=_QUICK),
    )  # fmt: skip
    return Saga("purchase", 1, steps, **settings)  # type: ignore[arg-type]


PURCHASE = purchase()


def branching() -> Saga:
    """Two branches that can be undone: a, then b beside c, which stands alone, then d after both."""
    return Saga(
        "branching",
        1,
        (
            Step("a", "A", "t", "UndoA", after=(), retry=_QUICK),
            Step("b", "B", "t", "UndoB", after=("a",), retry=_QUICK),
            Step("c", "C", "t", "UndoC", after=(), retry=_QUICK),
            Step("d", "D", "t", "UndoD", after=("b", "c"), retry=_QUICK),
        ),
    )
