"""What the benchmark buys, and what it calls a wrong end."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from bench.shop.figures import quantile
from bench.shop.planned import Ended, Kind, Planned, Ware, Wares, last_units, planned, wrong_ends

STEPS = ("UPDATE_PRODUCT_INVENTORY", "CREATE_ORDER", "CREATE_PAYMENT")
WARES = Wares(
    common=(Ware(11, 100, 1000), Ware(12, 250, 1000)),
    dear=Ware(13, 2_000_000, 1000),
    scarce=Ware(14, 300, 3),
    last=Ware(15, 400, last_units(1000)),
    absent=1,
)


def ended(planned: Planned, lucky: bool = True) -> Ended:
    """As it must end."""
    status, results, fields = {
        "good": ("SUCCESS", ["SUCCESS"] * 3, ()),
        "declined": ("FAILED", ["ROLLBACK", "ROLLBACK", "FAILED"], ()),
        "last units": ("SUCCESS", ["SUCCESS"] * 3, ()) if lucky else ("FAILED", ["FAILED"], ()),
        "unknown product": ("REFUSED", [], ("items.0.product_id",)),
        "not in stock": ("REFUSED", [], ("items.0.quantity",)),
        "other currency": ("REFUSED", [], ("currency",)),
    }[planned.kind]
    reason = "2000000 USD (minor units) is above the limit of 1000000" if planned.kind == "declined" else None
    return Ended(
        planned=planned,
        status=status,
        id=None if status == "REFUSED" else planned.number,
        reason=reason,
        fields=frozenset(fields),
        seconds=0.1,
        answered=0.01,
        at=0.0,
        again=0,
        steps=tuple((step, result, 0) for step, result in zip(STEPS, results, strict=False)),
    )


def all_ended() -> list[Ended]:
    """A thousand, of which every second of those for the last units is the lucky one."""
    plans = planned(1000, WARES, 4, 1)
    return [ended(each, lucky=each.number % 2 == 0) for each in plans]


def test_a_tenth_must_fail_in_five_ways_and_the_same_seed_plans_the_same() -> None:
    plans = planned(1000, WARES, 4, 1)
    assert Counter(each.kind for each in plans) == {
        "good": 900, "unknown product": 20, "not in stock": 20, "other currency": 20, "declined": 20, "last units": 20,
    }  # fmt: skip
    assert planned(1000, WARES, 4, 1) == plans
    assert planned(1000, WARES, 4, 2) != plans
    numbers = [each.number for each in plans if each.kind == "last units"]
    assert numbers == list(range(numbers[0], numbers[0] + 20))


def test_where_all_ended_as_they_must_nothing_is_wrong() -> None:
    assert wrong_ends(all_ended(), WARES) == []


@pytest.mark.parametrize("kind", ["good", "declined", "unknown product", "not in stock", "other currency"])
def test_an_end_that_is_another_kinds_is_wrong(kind: Kind) -> None:
    all_of_them = all_ended()
    at = next(number for number, each in enumerate(all_of_them) if each.planned.kind == kind)
    other = next(each for each in all_of_them if each.planned.kind not in (kind, "last units"))
    all_of_them[at] = msgspec.structs.replace(other, planned=all_of_them[at].planned)
    assert [each.split(":")[0] for each in wrong_ends(all_of_them, WARES)] == [f"purchase {at} ({kind})"]


def test_units_that_were_sold_twice_or_not_at_all_are_wrong_though_each_end_may_be() -> None:
    plans = planned(1000, WARES, 4, 1)
    assert wrong_ends([ended(each, lucky=True) for each in plans], WARES) == [
        "of 10 last units 20 were bought, by 20 who asked"
    ]
    assert wrong_ends([ended(each, lucky=False) for each in plans], WARES) == [
        "of 10 last units 0 were bought, by 20 who asked"
    ]


def test_a_gap_in_what_was_told_is_wrong() -> None:
    all_of_them = all_ended()
    all_of_them[0] = msgspec.structs.replace(all_of_them[0], gap=True)
    assert len(wrong_ends(all_of_them, WARES)) == 1


def test_a_quantile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(1, 101)]
    assert [quantile(values, share) for share in (0.0, 0.5, 0.95, 0.99, 1.0)] == [1, 50, 95, 99, 100]
    assert quantile([], 0.5) == 0.0


def test_only_where_somebody_was_away_may_a_good_purchase_go_unanswered() -> None:
    all_of_them = all_ended()
    at = next(number for number, each in enumerate(all_of_them) if each.planned.kind == "last units" and number % 2 == 0)
    reason = "CREATE_ORDER: no answer in time"
    for number in (at, next(number for number, each in enumerate(all_of_them) if each.planned.kind == "good")):
        all_of_them[number] = msgspec.structs.replace(all_of_them[number], status="FAILED", reason=reason)
    assert len(wrong_ends(all_of_them, WARES)) == 3
    assert wrong_ends(all_of_them, WARES, outages=True) == []
