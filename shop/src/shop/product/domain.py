"""What is wanted, what there is, and what follows from both. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "Category",
    "Details",
    "Line",
    "Product",
    "Reserved",
    "Status",
    "Stock",
    "judged",
    "refusal",
    "reserved",
    "summed",
]

Status: TypeAlias = Literal["OK", "NOT_FOUND", "NOT_ENOUGH"]


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What a product is. `price` is that of one unit, in minor units of the currency (ISO 4217)."""

    name: str
    description: str
    brand_name: str
    category_id: int | None
    price: int
    currency: str


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product with what is left of it. `version` counts every change, from 1; times are UTC."""

    id: int
    details: Details
    inventory: int
    version: int
    created_at: datetime
    changed_at: datetime


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """What products belong to. `version` counts every change, from 1."""

    id: int
    name: str
    description: str
    version: int


class Stock(msgspec.Struct, frozen=True):
    """So many are left, at this price for one."""

    inventory: int
    price: int
    currency: str


class Line(msgspec.Struct, frozen=True):
    """So many units of a product, at what one of them costs."""

    product_id: int
    quantity: int
    price: int


class Reserved(msgspec.Struct, frozen=True):
    """What is taken out of stock for a purchase, in the order of the products' ids, and what that costs in all."""

    lines: tuple[Line, ...]
    amount: int
    currency: str


def summed(wanted: Iterable[tuple[int, int]]) -> dict[int, int]:
    """How much of each product is wanted in all: one that is listed twice counts together."""
    sums: dict[int, int] = {}
    for product, quantity in wanted:
        sums[product] = sums.get(product, 0) + quantity
    return sums


def judged(wanted: Mapping[int, int], stocks: Mapping[int, Stock]) -> dict[int, Status]:
    """Whether so much of each is there. The last unit can be had."""

    def status(product: int, quantity: int) -> Status:
        stock = stocks.get(product)
        if stock is None:
            return "NOT_FOUND"
        return "OK" if stock.inventory >= quantity else "NOT_ENOUGH"

    return {product: status(product, quantity) for product, quantity in wanted.items()}


def refusal(wanted: Mapping[int, int], stocks: Mapping[int, Stock], currency: str) -> str | None:
    """Why this cannot be taken out of stock, all of it; None where it can."""
    reasons = []
    for product, status in sorted(judged(wanted, stocks).items()):
        if status == "NOT_FOUND":
            reasons.append(f"there is no product {product}")
        elif status == "NOT_ENOUGH":
            reasons.append(f"not enough of product {product}: {wanted[product]} wanted, {stocks[product].inventory} left")
        elif stocks[product].currency != currency:
            reasons.append(f"product {product} is sold in {stocks[product].currency}, not in {currency}")
    return "; ".join(reasons) or None


def reserved(wanted: Mapping[int, int], stocks: Mapping[int, Stock], currency: str) -> Reserved:
    """What is taken, at the prices of now. Nothing of it may be refused."""
    lines = tuple(Line(product, quantity, stocks[product].price) for product, quantity in sorted(wanted.items()))
    return Reserved(lines, sum(line.quantity * line.price for line in lines), currency)
