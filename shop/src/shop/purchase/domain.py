"""What a purchase is, and how it stands after what was told of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Literal, TypeAlias

import msgspec

from shop.contracts.commands import STEPS, Step, StepResult

__all__ = ["MOST", "Line", "Purchase", "Standing", "Status", "fingerprint", "merged", "quoted", "standings"]

Status: TypeAlias = Literal["PENDING", "SUCCESS", "FAILED", "ROLLBACK_FAILED"]
"""PENDING: under way. The others are how it has ended, as in `shop.contracts.commands.EndResult`."""

MOST = (1 << 63) - 1
"""The largest amount that can be kept, in minor units."""

_RANK: Mapping[StepResult, int] = {"EXECUTE": 1, "SUCCESS": 2, "FAILED": 2, "ROLLBACK_FAILED": 3, "ROLLBACK": 4}


class Line(msgspec.Struct, frozen=True):
    """So many units of a product."""

    product_id: int
    quantity: int


class Purchase(msgspec.Struct, frozen=True):
    """`quoted` is the sum of the prices that were told when it was asked for, in minor units; times are UTC."""

    id: int
    customer_id: int
    items: tuple[Line, ...]
    quoted: int
    currency: str
    status: Status
    reason: str | None
    created_at: datetime
    ended_at: datetime | None


class Standing(msgspec.Struct, frozen=True):
    """How a step stands; `result` is None before it was begun."""

    step: Step
    result: StepResult | None = None
    reason: str | None = None
    at: datetime | None = None


def merged(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The same with each product once, in the order in which products come first: what is asked for twice is added up."""
    quantities: dict[int, int] = {}
    for line in lines:
        quantities[line.product_id] = quantities.get(line.product_id, 0) + line.quantity
    return tuple(Line(product, quantity) for product, quantity in quantities.items())


def quoted(lines: Iterable[Line], prices: Mapping[int, int]) -> int:
    """What these cost together at such prices."""
    return sum(line.quantity * prices[line.product_id] for line in lines)


def fingerprint(lines: Iterable[Line], currency: str) -> bytes:
    """The same for two requests exactly if they ask for the same."""
    asked = sorted((line.product_id, line.quantity) for line in merged(lines))
    return sha256(msgspec.json.encode((asked, currency))).digest()


def standings(told: Iterable[Standing]) -> Sequence[Standing]:
    """How each step stands after what was told, in whatever order that came: what a step can only become later counts."""
    found = {step: Standing(step) for step in STEPS}
    for each in told:
        if _rank(each) >= _rank(found[each.step]):
            found[each.step] = each
    return tuple(found.values())


def _rank(standing: Standing) -> int:
    return 0 if standing.result is None else _RANK[standing.result]
