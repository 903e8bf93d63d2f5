"""The saga `purchase`: stock is taken, the order written, the payment taken; each can be undone. Pure.

No step is a point of no return: what the last one did is undone as well, should an operator turn a purchase back before it
has ended. What is charged is what product's database said when the units were taken (`replies`), not what a cache, the
customer or an earlier look told.
"""

from __future__ import annotations

from datetime import timedelta

from sagacity.saga import Retry, Saga, Step
from shop.contracts import topics

__all__ = ["PURCHASE"]

_PURCHASE = "saga.id"
_RESERVED = "replies.UPDATE_PRODUCT_INVENTORY"
_ORDERED = "replies.CREATE_ORDER"

_TIMEOUT = timedelta(seconds=5)
_RETRY = Retry(attempts=6, first=timedelta(seconds=1), factor=2.0, most=timedelta(seconds=10))
"""A participant that was killed, or is without its database, has about a minute to come back before the purchase
turns back."""

_UNDO_RETRY = Retry(attempts=40, first=timedelta(seconds=1), factor=2.0, most=timedelta(seconds=30), on="failure")
"""A compensation is asked for over some twenty minutes before a person is."""

PURCHASE = Saga(
    name="purchase",
    version=1,
    source="/shop/orchestrator",
    events_topic=topics.SAGA_EVENTS,
    replies_topic=topics.REPLY,
    steps=(
        Step(
            "UPDATE_PRODUCT_INVENTORY",
            command="UpdateProductInventory",
            topic=topics.UPDATE_PRODUCT_INVENTORY,
            payload={"purchase_id": _PURCHASE, "currency": "input.currency", "items": "input.items"},
            compensation="RollbackProductInventory",
            compensation_topic=topics.ROLLBACK_PRODUCT_INVENTORY,
            compensation_payload={"purchase_id": _PURCHASE},
            timeout=_TIMEOUT,
            retry=_RETRY,
            compensation_retry=_UNDO_RETRY,
        ),
        Step(
            "CREATE_ORDER",
            command="CreateOrder",
            topic=topics.CREATE_ORDER,
            payload={
                "purchase_id": _PURCHASE,
                "customer_id": "input.customer_id",
                "items": f"{_RESERVED}.items",
                "amount": f"{_RESERVED}.amount",
                "currency": f"{_RESERVED}.currency",
            },
            compensation="RollbackOrder",
            compensation_topic=topics.ROLLBACK_ORDER,
            compensation_payload={"purchase_id": _PURCHASE},
            timeout=_TIMEOUT,
            retry=_RETRY,
            compensation_retry=_UNDO_RETRY,
        ),
        Step(
            "CREATE_PAYMENT",
            command="CreatePayment",
            topic=topics.CREATE_PAYMENT,
            payload={
                "purchase_id": _PURCHASE,
                "customer_id": "input.customer_id",
                "order_id": f"{_ORDERED}.order_id",
                "amount": f"{_RESERVED}.amount",
                "currency": f"{_RESERVED}.currency",
            },
            compensation="RollbackPayment",
            compensation_topic=topics.ROLLBACK_PAYMENT,
            compensation_payload={"purchase_id": _PURCHASE},
            timeout=_TIMEOUT,
            retry=_RETRY,
            compensation_retry=_UNDO_RETRY,
        ),
    ),
)
