"""Conditions that explain an optional event."""

from __future__ import annotations

import pytest

from sagacity.discover.branches import best_cut, round_between
from sagacity.ledger.mining import Column, Split

AMOUNT = Column(0, "amount")


@pytest.mark.parametrize(
    ("low", "high", "round_number"),
    [
        ("998.57", "1003.89", "1000"),
        ("0.31", "0.38", "0.35"),
        ("7", "12", "10"),
        ("-3.2", "-1.1", "-3"),
        ("5", "5.0001", "5"),
    ],
)
def test_a_bound_is_the_roundest_number_between(low: str, high: str, round_number: str) -> None:
    assert round_between(low, high) == round_number


def test_numbers_are_cut_where_most_is_told() -> None:
    rows = (("1", "90", 50, 1), ("95", "99", 20, 0), ("104", "200", 1, 40))
    cut = best_cut(Split(AMOUNT, True, rows))
    assert cut is not None
    assert (cut.low.most, cut.high.least) == ("100", "100")
    assert (cut.below, cut.above) == ((70, 1), (1, 40))


def test_texts_are_parted_by_how_often_it_happens() -> None:
    rows = (("DE", "DE", 30, 0), ("FR", "FR", 0, 25), ("IT", "IT", 28, 1), ("US", "US", 1, 24))
    cut = best_cut(Split(AMOUNT, False, rows))
    assert cut is not None
    assert (cut.low.values, cut.high.values) == (("DE", "IT"), ("FR", "US"))


def test_what_always_happens_needs_no_reason() -> None:
    assert best_cut(Split(AMOUNT, True, (("1", "2", 0, 5), ("3", "4", 0, 7)))) is None
