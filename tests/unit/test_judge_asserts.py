"""Asserts: a predicate over the whole case."""

from __future__ import annotations

from decimal import Decimal

import pytest

from judged import at, failures, judge_one, workflow_of
from sagacity.errors import ConditionError
from sagacity.judge import Judge
from sagacity.workflow.model import Assert
from sagacity.workflow.trace import Event
from sagacity.workflow.verdict import Status


def says(predicate: str, *events: Event, as_of: float | None = None) -> Status:
    """The status of an assert, in a complete log unless as-of is given in days."""
    return judge_one(Assert(predicate=predicate), *events, as_of=as_of).status


def test_a_true_predicate_is_satisfied_at_any_time() -> None:
    assert says("count(A) = 2", at(0, "A"), at(1, "A"), as_of=1) is Status.SATISFIED


def test_what_is_not_true_may_become_so_until_the_case_ends() -> None:
    predicate = Assert(predicate="count(A) = 2")
    assert judge_one(predicate, at(0, "A"), as_of=1, timeout=2).due == at(2, "A").time
    assert failures(judge_one(predicate, at(0, "A"), as_of=2, timeout=2)) == [("mismatch", 2)]


def test_a_safety_rule_is_violated_since_the_latest_event_that_it_names() -> None:
    safety = Assert(predicate="count(A) <= count(B)", immediate=True)
    assert failures(judge_one(safety, at(0, "B"), at(1, "A"), at(2, "A"), at(3, "C"), as_of=3)) == [("mismatch", 2)]
    assert failures(judge_one(Assert(predicate="count(A) > 0", immediate=True), at(1, "C"), as_of=1)) == [("mismatch", 1)]


@pytest.mark.parametrize("function", ["first", "last", "min", "max"])
def test_an_assert_that_takes_a_value_of_an_event_that_is_not_there_is_vacuous(function: str) -> None:
    verdict = judge_one(Assert(predicate=f"{function}(A.items) = 1 OR count(B) = 1"), at(0, "B"))
    assert (verdict.status, verdict.activations) == (Status.VACUOUS, 0)


def test_counts_and_sums_of_nothing_are_zero() -> None:
    assert says("count(A) = 0 AND sum(A.items) = 0 AND sum(A.amount) = 0", at(0, "B")) is Status.SATISFIED


def test_an_absent_value_is_neither_true_nor_false() -> None:
    assert says("A.items = 1", at(0, "A")) is Status.VIOLATED
    assert says("NOT A.items = 1", at(0, "A")) is Status.VIOLATED
    assert says("A.items IS NULL", at(0, "A")) is Status.SATISFIED


def test_first_and_last_follow_the_trace() -> None:
    events = (at(2, "A", items=3), at(1, "A", items=5), at(1, "A", seq=1, items=1))
    assert says("first(A.items) = 5 AND A.items = 5 AND last(A.items) = 3", *events) is Status.SATISFIED
    assert says("last(A.time) - first(A.time) = INTERVAL '1 day'", *events) is Status.SATISFIED


def test_among_concurrent_events_the_smallest_is_first_and_the_largest_last() -> None:
    events = [at(0, "A", items=items) for items in (2, None, 3)]
    assert says("first(A.items) = 2 AND last(A.items) = 3", *events) is Status.SATISFIED


def test_of_equal_amounts_the_smallest_currency_is_first_and_the_largest_last() -> None:
    events = [at(0, "A", amount=5, currency=currency) for currency in ("USD", "EUR", "GBP")]
    euros, dollars = (at(1, type, amount=5, currency=currency) for type, currency in (("B", "EUR"), ("C", "USD")))
    assert says("first(A.amount) = B.amount AND last(A.amount) = C.amount", *events, euros, dollars) is Status.SATISFIED


def test_sums_are_exact_and_pass_over_absent_values() -> None:
    events = [at(0, "A", amount=Decimal("0.1"), currency="EUR") for _ in range(10)]
    assert says("sum(A.amount) = 1 AND count(A.amount) = 10 AND count(A) = 11", *events, at(1, "A")) is Status.SATISFIED


def test_amounts_in_two_currencies_have_no_sum_and_no_extremes() -> None:
    events = [at(0, "A", amount=5, currency=currency) for currency in ("EUR", "USD")]
    for function in ("sum", "min", "max"):
        assert says(f"{function}(A.amount) IS NULL", *events) is Status.SATISFIED
        assert says(f"{function}(A.amount) IS NULL", *events[:1]) is Status.VIOLATED


def test_min_and_max_are_those_of_the_present_values() -> None:
    events = [at(0, "A", items=items, ref=ref) for items, ref in ((3, "x"), (None, None), (1, "y"))]
    assert says("min(A.items) = 1 AND max(A.items) = 3 AND max(A.ref) = 'y'", *events) is Status.SATISFIED


def test_a_predicate_that_makes_no_sense_is_turned_down_before_any_case_is_judged() -> None:
    with pytest.raises(ConditionError):
        Judge(workflow_of(Assert(predicate="count(Z) = 1")))
