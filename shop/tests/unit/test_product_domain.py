"""What is wanted, what there is, and what follows from both."""

from __future__ import annotations

from shop.product.domain import Line, Stock, judged, refusal, reserved, summed

TEA, MILK, GONE = 1, 2, 3
STOCKS = {TEA: Stock(5, 450, "USD"), MILK: Stock(1, 99, "USD")}


def test_defect_11_the_last_unit_can_be_bought() -> None:
    assert judged({TEA: 5, MILK: 1}, STOCKS) == {TEA: "OK", MILK: "OK"}
    assert refusal({TEA: 5, MILK: 1}, STOCKS, "USD") is None


def test_defect_11_not_enough_is_not_not_found() -> None:
    assert judged({TEA: 6, GONE: 1}, STOCKS) == {TEA: "NOT_ENOUGH", GONE: "NOT_FOUND"}
    assert refusal({TEA: 6}, STOCKS, "USD") == "not enough of product 1: 6 wanted, 5 left"
    assert refusal({GONE: 1}, STOCKS, "USD") == "there is no product 3"


def test_defect_11_a_product_listed_twice_counts_together() -> None:
    wanted = summed([(TEA, 3), (MILK, 1), (TEA, 3)])
    assert wanted == {TEA: 6, MILK: 1}
    assert judged(wanted, STOCKS)[TEA] == "NOT_ENOUGH"


def test_every_reason_is_told_at_once() -> None:
    assert refusal({GONE: 1, TEA: 9, MILK: 1}, STOCKS, "EUR") == (
        "not enough of product 1: 9 wanted, 5 left; product 2 is sold in USD, not in EUR; there is no product 3"
    )


def test_what_is_taken_costs_what_it_costs_now() -> None:
    taken = reserved({MILK: 1, TEA: 2}, STOCKS, "USD")
    assert taken.lines == (Line(TEA, 2, 450), Line(MILK, 1, 99))
    assert (taken.amount, taken.currency) == (999, "USD")
