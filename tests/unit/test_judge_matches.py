"""Matches: every event pairs with its own, and their amounts agree."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from judged import DAY, at, failures, judge_one
from sagacity.workflow.model import Cardinality, Matches
from sagacity.workflow.trace import Event
from sagacity.workflow.verdict import Status


def pairing(cardinality: Cardinality = "one_to_one", by: str = "ref", **options: Any) -> Matches:
    """A to B, by the reference unless another attribute is given."""
    return Matches(from_="A", to="B", by=(by, by), cardinality=cardinality, **options)


def test_each_event_pairs_with_its_own() -> None:
    events = (at(0, "A", ref="x"), at(1, "A", ref="y"), at(2, "B", ref="y"), at(0, "B", ref="x"))
    verdict = judge_one(pairing(), *events)
    assert (verdict.status, verdict.activations, verdict.fulfilled) == (Status.SATISFIED, 2, 2)


def test_nothing_to_match_is_vacuous() -> None:
    assert judge_one(pairing(), at(0, "C", ref="x")).status is Status.VACUOUS


@pytest.mark.parametrize("left_over", ["A", "B"])
def test_what_is_left_over_on_either_side_is_missing_when_due(left_over: str) -> None:
    left = at(1, left_over, ref="x")
    assert judge_one(pairing(), left, as_of=2).status is Status.PENDING
    assert failures(judge_one(pairing(), left, at(3, "C"), as_of=3, ends=("C",))) == [(None, 1, "missing", 3)]
    within = pairing(within=2 * DAY)
    assert judge_one(within, left, as_of=3 - 1 / DAY).due == 3 * DAY
    (violation,) = judge_one(within, left, as_of=3).violations
    assert (violation.kind, violation.since, violation.activation) == ("missing", 3 * DAY, "x")


def test_an_event_without_a_value_can_never_pair() -> None:
    verdict = judge_one(pairing(), at(1, "A"), at(2, "B", id="7"), as_of=2)
    assert failures(verdict) == [("A", 1, "mismatch", 1), ("B", 2, "mismatch", 2)]
    assert [each.activation for each in verdict.violations] == [f"{DAY}/0", "7"]


@pytest.mark.parametrize(
    ("cardinality", "twice", "allowed"),
    [
        ("one_to_one", "A", False),
        ("one_to_one", "B", False),
        ("one_to_many", "A", False),
        ("one_to_many", "B", True),
        ("many_to_one", "A", True),
        ("many_to_one", "B", False),
    ],
)
def test_a_side_that_may_have_one_event_has_a_duplicate_since_the_second(
    cardinality: Cardinality, twice: str, allowed: bool
) -> None:
    other = "B" if twice == "A" else "A"
    events = (at(0, other, ref="x"), at(1, twice, ref="x"), at(2, twice, ref="x"), at(3, twice, ref="x"))
    expected = [] if allowed else [(None, 0, "duplicate", 2)]
    assert failures(judge_one(pairing(cardinality), *events, as_of=3)) == expected


def test_of_two_duplicates_the_earlier_counts() -> None:
    events = [at(day, type, ref="x") for day, type in ((0, "A"), (5, "A"), (1, "B"), (3, "B"))]
    assert failures(judge_one(pairing(), *events)) == [(None, 0, "duplicate", 3)]


def test_a_duplicate_outranks_a_missing_side() -> None:
    assert failures(judge_one(pairing(), at(0, "A", ref="x"), at(1, "A", ref="x"))) == [(None, 0, "duplicate", 1)]


def test_a_pair_is_late_when_it_takes_longer_than_the_window() -> None:
    within = pairing(within=2 * DAY)
    assert failures(judge_one(within, at(0, "B", ref="x"), at(2, "A", ref="x"))) == []
    late = Event("A", 2 * DAY + 1, 0, None, {"ref": "x"})
    assert failures(judge_one(within, at(0, "B", ref="x"), late)) == [(None, 0, "late", 2)]


def test_amounts_agree_within_the_tolerance() -> None:
    amounts = (("A", Decimal("10.00")), ("B", Decimal("10.02")))
    euros = [at(day, type, ref="x", amount=amount, currency="EUR") for day, (type, amount) in enumerate(amounts)]
    assert failures(judge_one(pairing(amount=("amount", "amount"), tolerance="0.02"), *euros)) == []
    assert failures(judge_one(pairing(amount=("amount", "amount"), tolerance="0.01"), *euros, as_of=1)) == [
        (None, 0, "mismatch", 1)
    ]


@pytest.mark.parametrize("currencies", [("EUR", "USD"), ("EUR", None), (None, None)])
def test_amounts_that_do_not_share_a_currency_are_a_mismatch(currencies: tuple[str | None, str | None]) -> None:
    left, right = currencies
    events = (at(0, "A", ref="x", amount=5, currency=left), at(1, "B", ref="x", amount=5, currency=right))
    assert failures(judge_one(pairing(amount=("amount", "amount")), *events)) == [(None, 0, "mismatch", 1)]


def test_numbers_that_are_captured_without_a_currency_agree_with_an_amount() -> None:
    events = (at(0, "A", ref="x", amount=5, currency="EUR"), at(1, "B", ref="x", items=5))
    assert failures(judge_one(pairing(amount=("amount", "items")), *events)) == []


def test_absent_amounts_are_passed_over() -> None:
    events = (at(0, "A", ref="x", currency="USD"), at(0, "A", ref="x", amount=5, currency="EUR"))
    paid = at(1, "B", ref="x", amount=5, currency="EUR")
    assert failures(judge_one(pairing("many_to_one", amount=("amount", "amount")), *events, paid)) == []
    assert failures(judge_one(pairing("many_to_one", amount=("items", "items")), *events, paid)) == []


def test_instalments_are_summed_and_may_still_come_until_they_are_due() -> None:
    instalments = pairing("one_to_many", amount=("items", "items"), within=5 * DAY)
    events = (at(0, "A", ref="x", items=10), at(1, "B", ref="x", items=4), at(2, "B", ref="x", items=6))
    short = judge_one(instalments, *events[:2], as_of=4)
    assert (short.status, short.due) == (Status.PENDING, 5 * DAY)
    assert judge_one(instalments, *events, as_of=4).status is Status.SATISFIED
    assert failures(judge_one(instalments, *events[:2], as_of=5)) == [(None, 0, "mismatch", 5)]


def test_many_small_decimals_add_up_exactly() -> None:
    tenths = [at(0, "A", ref="x", amount=Decimal("0.1"), currency="EUR") for _ in range(10)]
    whole = at(0, "B", ref="x", amount=Decimal("1"), currency="EUR")
    assert failures(judge_one(pairing("many_to_one", amount=("amount", "amount")), *tenths, whole)) == []


@pytest.mark.parametrize(("value", "name"), [(Decimal("5.50"), "5.5"), (Decimal("100"), "100"), (Decimal("0.00"), "0")])
def test_a_group_by_a_decimal_is_named_without_zeros_at_its_end(value: Decimal, name: str) -> None:
    (violation,) = judge_one(pairing(by="amount"), at(0, "A", amount=value)).violations
    assert violation.activation == name
