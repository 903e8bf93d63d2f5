"""The topics of the shop. Every message in them is keyed by the purchase's id and is a CloudEvent in binary mode.

| topic | what is in it | who writes | who reads |
|---|---|---|---|
| `purchase` | StartPurchase | purchase | orchestrator |
| `purchase-result` | PurchaseStepChanged, PurchaseEnded | orchestrator | purchase |
| `update-product-inventory`, `rollback-product-inventory` | commands to product | orchestrator | product |
| `create-order`, `rollback-order` | commands to order | orchestrator | order |
| `create-payment`, `rollback-payment` | commands to payment | orchestrator | payment |
| `reply` | what participants answer | product, order, payment | orchestrator |
| `dead-letter` | notices of what could not be done | everyone | people |
| `shop-events` | domain events | everyone | warehouse, compliance, the reconciler |
| `saga-events` | what happens to sagas | orchestrator | the reconciler |
"""

from __future__ import annotations

__all__ = [
    "ALL",
    "CREATE_ORDER",
    "CREATE_PAYMENT",
    "DEAD_LETTER",
    "PURCHASE",
    "PURCHASE_RESULT",
    "REPLY",
    "ROLLBACK_ORDER",
    "ROLLBACK_PAYMENT",
    "ROLLBACK_PRODUCT_INVENTORY",
    "SAGA_EVENTS",
    "SHOP_EVENTS",
    "UPDATE_PRODUCT_INVENTORY",
]

PURCHASE = "purchase"
PURCHASE_RESULT = "purchase-result"
UPDATE_PRODUCT_INVENTORY = "update-product-inventory"
ROLLBACK_PRODUCT_INVENTORY = "rollback-product-inventory"
CREATE_ORDER = "create-order"
ROLLBACK_ORDER = "rollback-order"
CREATE_PAYMENT = "create-payment"
ROLLBACK_PAYMENT = "rollback-payment"
REPLY = "reply"
DEAD_LETTER = "dead-letter"
SHOP_EVENTS = "shop-events"
SAGA_EVENTS = "saga-events"

ALL = (
    PURCHASE, PURCHASE_RESULT, UPDATE_PRODUCT_INVENTORY, ROLLBACK_PRODUCT_INVENTORY, CREATE_ORDER, ROLLBACK_ORDER,
    CREATE_PAYMENT, ROLLBACK_PAYMENT, REPLY, DEAD_LETTER, SHOP_EVENTS, SAGA_EVENTS,
)  # fmt: skip
"""All of them, for whoever makes them at a broker."""
