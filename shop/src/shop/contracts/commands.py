"""What the saga `purchase` tells its participants, what they answer, and what it tells of itself.

The type of a command's envelope is the name of its struct; its reply's type is that with `.replied`. Ids are 64-bit integers
written as decimal text. Money is in minor units of an ISO 4217 currency, as an integer. Every field is always written.

| step | command | reply | compensation |
|---|---|---|---|
| UPDATE_PRODUCT_INVENTORY | UpdateProductInventory | ProductInventoryUpdated | RollbackProductInventory |
| CREATE_ORDER | CreateOrder | OrderMade | RollbackOrder |
| CREATE_PAYMENT | CreatePayment | PaymentMade | RollbackPayment |

A compensation names the purchase alone: what its command did is known to the participant, which keeps it by the
purchase's id. It answers nothing (`null`).
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

__all__ = [
    "STEPS",
    "CreateOrder",
    "CreatePayment",
    "Currency",
    "EndResult",
    "Id",
    "Item",
    "Money",
    "OrderMade",
    "PaymentMade",
    "PricedItem",
    "ProductInventoryUpdated",
    "PurchaseEnded",
    "PurchaseStepChanged",
    "Quantity",
    "RollbackOrder",
    "RollbackPayment",
    "RollbackProductInventory",
    "StartPurchase",
    "Step",
    "StepResult",
    "UpdateProductInventory",
]

Id: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,18})$")]
"""A 64-bit id as decimal text: as a number it would lose digits in browsers."""

Currency: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]
"""An ISO 4217 code, such as USD."""

Quantity: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
"""How many units."""

Money: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
"""Minor units of a currency: 450 is 4.50 USD."""

Step: TypeAlias = Literal["UPDATE_PRODUCT_INVENTORY", "CREATE_ORDER", "CREATE_PAYMENT"]
"""The saga's steps, by name."""

STEPS: tuple[Step, ...] = ("UPDATE_PRODUCT_INVENTORY", "CREATE_ORDER", "CREATE_PAYMENT")
"""The same, in their order."""

StepResult: TypeAlias = Literal["EXECUTE", "SUCCESS", "FAILED", "ROLLBACK", "ROLLBACK_FAILED"]
"""EXECUTE: its command was sent. SUCCESS: it is done. FAILED: it is not, or nothing is known of it, and the purchase turns
back. ROLLBACK: it is undone. ROLLBACK_FAILED: it could not be undone, and a person has to see to it."""

EndResult: TypeAlias = Literal["SUCCESS", "FAILED", "ROLLBACK_FAILED"]
"""SUCCESS: every step is done. FAILED: nothing of the purchase is left. ROLLBACK_FAILED: a person ended it as it stood."""


class Item(msgspec.Struct, frozen=True):
    """So many units of a product."""

    product_id: Id
    quantity: Quantity


class PricedItem(msgspec.Struct, frozen=True):
    """So many units of a product at what one of them costs, as read from the product's database when they were reserved."""

    product_id: Id
    quantity: Quantity
    price: Money


class StartPurchase(msgspec.Struct, frozen=True):
    """In `purchase`: starts the saga, of which this is the input. No product is there twice."""

    purchase_id: Id
    customer_id: Id
    currency: Currency
    items: tuple[Item, ...]


class UpdateProductInventory(msgspec.Struct, frozen=True):
    """Take these units out of stock, all or none. Fails where a product is not there or has too few."""

    purchase_id: Id
    currency: Currency
    items: tuple[Item, ...]


class ProductInventoryUpdated(msgspec.Struct, frozen=True):
    """They are taken. The prices are those of the database at that instant, `amount` is the sum of price times quantity:
    this is what is charged. `currency` is the command's."""

    purchase_id: Id
    items: tuple[PricedItem, ...]
    amount: Money
    currency: Currency


class RollbackProductInventory(msgspec.Struct, frozen=True):
    """Put back what was taken for this purchase."""

    purchase_id: Id


class CreateOrder(msgspec.Struct, frozen=True):
    """Write the order of a purchase. Items and amount are what the reservation answered."""

    purchase_id: Id
    customer_id: Id
    items: tuple[PricedItem, ...]
    amount: Money
    currency: Currency


class OrderMade(msgspec.Struct, frozen=True):
    """The order is written."""

    purchase_id: Id
    order_id: Id


class RollbackOrder(msgspec.Struct, frozen=True):
    """Cancel the order of this purchase."""

    purchase_id: Id


class CreatePayment(msgspec.Struct, frozen=True):
    """Charge for an order. Fails where the payment provider declines."""

    purchase_id: Id
    customer_id: Id
    order_id: Id
    amount: Money
    currency: Currency


class PaymentMade(msgspec.Struct, frozen=True):
    """It is charged."""

    purchase_id: Id
    payment_id: Id


class RollbackPayment(msgspec.Struct, frozen=True):
    """Refund the payment of this purchase."""

    purchase_id: Id


class PurchaseStepChanged(msgspec.Struct, frozen=True):
    """In `purchase-result`: how a step of a purchase stands. `time` is in microseconds since 1970, UTC; `reason` says
    why, where it is no good news."""

    purchase_id: Id
    step: Step
    result: StepResult
    time: int
    reason: str | None


class PurchaseEnded(msgspec.Struct, frozen=True):
    """In `purchase-result`: how a purchase has ended; once, and the last of it. Fields as in PurchaseStepChanged."""

    purchase_id: Id
    result: EndResult
    time: int
    reason: str | None
