"""What a campaign of the shop takes for wrong, and what it forgives."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from bench.shop.planned import CURRENCY, Ended, Kind, Planned, Ware, Wares

from chaos.shop.told import ends, turned
from chaos.shop.verdicts import differences
from sagacity.reconcile.result import Finding

WARES = Wares(common=(Ware(1, 100, 9),), dear=Ware(2, 9_999, 9), scarce=Ware(3, 9, 3), last=Ware(4, 350, 1), absent=5)
DONE = tuple((step, "SUCCESS", 0) for step in ("UPDATE_PRODUCT_INVENTORY", "CREATE_ORDER", "CREATE_PAYMENT"))
GOOD = Ended(
    planned=Planned(0, "good", 0, ((1, 1),), CURRENCY), status="SUCCESS", id=7, reason=None, fields=frozenset(), seconds=1.0,
    answered=0.1, at=0.0, again=0, steps=DONE,
)  # fmt: skip
FINDING = Finding(
    id="f1", case="7", expectation="shipped in time", kind="late", severity="critical", owner=None, since=1, type=None,
    time=None, activation=None, message="shipped late",
)  # fmt: skip


def ended(kind: Kind = "good", **otherwise: Any) -> Ended:
    return msgspec.structs.replace(GOOD, planned=msgspec.structs.replace(GOOD.planned, kind=kind), **otherwise)


def live(**otherwise: Any) -> dict[str, Any]:
    return {"id": "f1", "kind": "late", "state": "open", "message": "shipped late", **otherwise}


def test_a_purchase_that_nobody_answered_in_time_may_turn_back_and_one_that_fails_otherwise_may_not() -> None:
    back = ended(status="FAILED", reason="CREATE_ORDER: no answer in time", steps=())
    failed = ended(status="FAILED", reason="the order is not known", steps=())
    assert (turned([GOOD, back, failed]), ends([GOOD, back], WARES)) == ([back], [])
    assert len(ends([GOOD, back, failed], WARES)) == 1


def test_a_gap_in_what_a_buyer_was_told_is_wrong() -> None:
    assert ends([ended(gap=True)], WARES) == ["purchase 0 (good): what was told of it has a gap"]


def test_more_last_units_than_there_were_must_not_be_sold_unless_some_were_turned_back_and_then_the_stock_tells() -> None:
    lucky = ended("last units")
    back = ended("last units", status="FAILED", reason="CREATE_ORDER: no answer in time", steps=())
    assert ends([lucky], WARES) == []
    assert ends([lucky, lucky], WARES) == ["of 1 last units 2 were bought, by 2 who asked"]
    none_left = ended("last units", status="REFUSED", id=None, fields=frozenset({"items.0.quantity"}), steps=())
    assert ends([none_left, back], WARES) == []
    assert ends([none_left], WARES) == ["of 1 last units 0 were bought, by 1 who asked"]


@pytest.mark.parametrize(
    ("held", "checked", "wrong"),
    [
        ([live()], [FINDING], 0),
        ([live(state="resolved")], [], 0),
        ([live(state="resolved")], [FINDING], 1),
        ([], [FINDING], 1),
        ([live()], [], 1),
        ([live(kind="missing")], [FINDING], 2),
    ],
    ids=["the same", "mended", "mended and found", "not found live", "found live alone", "of another kind"],
)
def test_what_is_open_must_be_what_check_finds(held: list[dict[str, Any]], checked: list[Finding], wrong: int) -> None:
    assert len(differences(held, checked)) == wrong
