"""Purchases: what is asked for, and how they stand after what was told, in whatever order."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from shop.purchase.domain import Line, Standing, fingerprint, merged, quoted, standings

lines = st.lists(st.builds(Line, st.integers(1, 5), st.integers(1, 9)), min_size=1, max_size=8)


@given(lines)
def test_merging_keeps_every_unit_and_names_each_product_once(asked: list[Line]) -> None:
    """Defect 11: a product that was listed twice in one purchase broke it."""
    found = merged(asked)
    assert len({line.product_id for line in found}) == len(found)
    for product in {line.product_id for line in asked}:
        assert sum(line.quantity for line in asked if line.product_id == product) == next(
            line.quantity for line in found if line.product_id == product
        )


@given(lines, st.randoms())
def test_the_same_asked_for_in_another_order_is_the_same_request(asked: list[Line], chance: object) -> None:
    shuffled = list(asked)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fingerprint(shuffled, "USD") == fingerprint(asked, "USD")
    assert fingerprint(asked, "EUR") != fingerprint(asked, "USD")
    assert fingerprint([*asked, Line(9, 1)], "USD") != fingerprint(asked, "USD")


def test_what_is_quoted_is_the_sum_of_prices_and_quantities() -> None:
    assert quoted([Line(1, 4), Line(2, 5)], {1: 450, 2: 1200}) == 7800


def test_a_step_stands_as_it_last_became_whatever_came_late() -> None:
    told = [Standing("CREATE_ORDER", "EXECUTE"), Standing("CREATE_ORDER", "SUCCESS"), Standing("CREATE_ORDER", "ROLLBACK")]
    for order in permutations(told):
        assert [each.result for each in standings(order)] == [None, "ROLLBACK", None]


def test_a_rollback_that_works_after_all_is_a_rollback() -> None:
    told = [Standing("CREATE_ORDER", "ROLLBACK_FAILED", "no"), Standing("CREATE_ORDER", "ROLLBACK")]
    assert standings(told)[1] == Standing("CREATE_ORDER", "ROLLBACK")
