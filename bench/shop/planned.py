"""What is bought: good purchases, and among them such as must fail, each with how it must end. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "CURRENCY",
    "LIMIT",
    "SHARE",
    "Ended",
    "Kind",
    "Planned",
    "Ware",
    "Wares",
    "last_units",
    "planned",
    "unanswered",
    "wrong_ends",
]

Kind: TypeAlias = Literal["good", "unknown product", "not in stock", "other currency", "declined", "last units"]
"""`last units`: as many ask for the last units of a product at once as there are twice over; half of them can have one."""

_FAULTS: tuple[Kind, ...] = ("unknown product", "not in stock", "other currency", "declined", "last units")
_NO_ANSWER = "no answer in time"
CURRENCY = "USD"
LIMIT = 1_000_000
"""The most that the payment provider takes, in minor units."""
SHARE = 0.1
"""The share of purchases that must fail."""


class Ware(msgspec.Struct, frozen=True):
    """A product of a round: its price in minor units, and how many there were before it."""

    id: int
    price: int
    stock: int


class Wares(msgspec.Struct, frozen=True):
    """What a round buys of. `dear` is above what the payment provider takes, of `scarce` there is less than is asked for, of
    `last` half of what is asked for in all; there is no product `absent`."""

    common: tuple[Ware, ...]
    dear: Ware
    scarce: Ware
    last: Ware
    absent: int

    @property
    def every(self) -> tuple[Ware, ...]:
        return (*self.common, self.dear, self.scarce, self.last)


class Planned(msgspec.Struct, frozen=True):
    """A purchase that is to be made: products with quantities, of which one may stand there twice."""

    number: int
    kind: Kind
    customer: int
    lines: tuple[tuple[int, int], ...]
    currency: str

    @property
    def body(self) -> dict[str, object]:
        """What is posted."""
        items = [{"product_id": str(product), "quantity": quantity} for product, quantity in self.lines]
        return {"items": items, "currency": self.currency}


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended, as its buyer was told. `status` is REFUSED where it was not taken on. `seconds` are those from the first
    request to the result, `at` when that was asked (seconds since 1970, UTC), `again` how many requests were made again,
    `steps` what was told of the steps, with microseconds since 1970, UTC."""

    planned: Planned
    status: str
    id: int | None
    reason: str | None
    fields: frozenset[str]
    seconds: float
    answered: float
    at: float
    again: int
    steps: tuple[tuple[str, str, int], ...] = ()
    ended_at: int = 0
    gap: bool = False
    """Whether an event was missing, or came twice."""


def last_units(many: int, share: float = SHARE) -> int:
    """How many units there are for those who ask for the last ones: one for every second."""
    return _each(many, share) // 2


def planned(many: int, wares: Wares, customers: int, seed: int, share: float = SHARE) -> tuple[Planned, ...]:
    """So many purchases, of which a share must fail, in the order in which they are to be made; the same for the same
    seed. Those that ask for the last units come one right behind the other."""
    chance = Random(f"purchases {seed}")
    each = _each(many, share)
    kinds: list[Kind] = [kind for kind in _FAULTS if kind != "last units" for _ in range(each)]
    kinds += ["good"] * (many - len(kinds) - each)
    chance.shuffle(kinds)
    at = len(kinds) // 2
    kinds[at:at] = ["last units"] * each
    return tuple(
        Planned(number, kind, chance.randrange(customers), *_asked(kind, wares, chance)) for number, kind in enumerate(kinds)
    )


def unanswered(ended: Ended) -> bool:
    """Whether it turned back because somebody was away for longer than the saga's patience lasts: about a minute."""
    return ended.status == "FAILED" and (ended.reason or "").endswith(_NO_ANSWER)


def wrong_ends(ended: Sequence[Ended], wares: Wares, *, outages: bool = False) -> list[str]:
    """What did not end as it must, in words; empty where all did. `outages`: there were some, so that purchases may turn
    back that went unanswered for too long."""
    spared = [each for each in ended if outages and unanswered(each)]
    judged = [each for each in ended if not (outages and unanswered(each))]
    wrong = [f"purchase {each.planned.number} ({each.planned.kind}): {why}" for each in judged if (why := _wrong(each))]
    wrong += [f"purchase {each.planned.number}: what was told of it has a gap" for each in spared if each.gap]
    lucky = Counter(each.status for each in ended if each.planned.kind == "last units")["SUCCESS"]
    asked = sum(each.planned.kind == "last units" for each in ended)
    most = min(wares.last.stock, asked)
    least = most - sum(each.planned.kind == "last units" for each in spared)
    if not least <= lucky <= most:
        wrong.append(f"of {wares.last.stock} last units {lucky} were bought, by {asked} who asked")
    return wrong


def _wrong(ended: Ended) -> str | None:
    told = f"{ended.status}, {ended.reason}, {sorted(ended.fields)}"
    if ended.gap:
        return "what was told of it has a gap"
    steps = {step: result for step, result, _ in ended.steps}
    results = [steps.get(step) for step in ("UPDATE_PRODUCT_INVENTORY", "CREATE_ORDER", "CREATE_PAYMENT")]
    match ended.planned.kind:
        case "good":
            good = ended.status == "SUCCESS" and results == ["SUCCESS"] * 3
        case "declined":
            good = ended.status == "FAILED" and results == ["ROLLBACK", "ROLLBACK", "FAILED"]
            good = good and "above the limit" in (ended.reason or "")
        case "last units":
            good = ended.status == "SUCCESS" or "items.0.quantity" in ended.fields
            good = good or (ended.status == "FAILED" and results == ["FAILED", None, None])
        case "unknown product":
            good = ended.status == "REFUSED" and ended.fields == {"items.0.product_id"}
        case "not in stock":
            good = ended.status == "REFUSED" and ended.fields == {"items.0.quantity"}
        case "other currency":
            good = ended.status == "REFUSED" and ended.fields == {"currency"}
    return None if good else told


def _asked(kind: Kind, wares: Wares, chance: Random) -> tuple[tuple[tuple[int, int], ...], str]:
    match kind:
        case "unknown product":
            return ((wares.absent, 1), _line(wares, chance)), CURRENCY
        case "not in stock":
            return ((wares.scarce.id, wares.scarce.stock + 1), _line(wares, chance)), CURRENCY
        case "other currency":
            return (_line(wares, chance),), "EUR"
        case "declined":
            return ((wares.dear.id, 1), _line(wares, chance)), CURRENCY
        case "last units":
            return ((wares.last.id, 1),), CURRENCY
        case _:
            return tuple(_line(wares, chance) for _ in range(chance.choice((1, 1, 2, 3)))), CURRENCY


def _line(wares: Wares, chance: Random) -> tuple[int, int]:
    return chance.choice(wares.common).id, chance.randint(1, 3)


def _each(many: int, share: float) -> int:
    return round(many * share / len(_FAULTS))
