"""Counts, positions and choices: expectations of the case as a whole."""

from __future__ import annotations

import pytest

from judged import at, failures, judge_one, rule
from sagacity.workflow.verdict import Status

TWICE = (at(0, "A"), at(2, "A"))


def test_a_type_that_came_often_enough_exists() -> None:
    verdict = judge_one(rule("existence", "A", n=2), *TWICE, as_of=3)
    assert (verdict.status, verdict.activations, verdict.fulfilled) == (Status.SATISFIED, 1, 1)


def test_a_type_that_came_too_seldom_is_pending_until_the_case_ends() -> None:
    verdict = judge_one(rule("existence", "A", n=3), *TWICE, as_of=4.5, timeout=5)
    assert (verdict.status, verdict.pending, verdict.due) == (Status.PENDING, 1, at(5, "A").time)


def test_a_type_that_came_too_seldom_is_missing_since_the_end_of_the_case() -> None:
    assert failures(judge_one(rule("existence", "A", n=3), *TWICE, as_of=5, timeout=5)) == [("missing", 5)]


def test_an_event_after_the_end_of_the_case_still_counts() -> None:
    assert failures(judge_one(rule("existence", "A", n=2), *TWICE, as_of=5, timeout=1)) == []


def test_a_complete_log_leaves_nothing_pending_though_the_case_never_ends() -> None:
    assert failures(judge_one(rule("existence", "A", n=3), *TWICE)) == [("missing", "never")]


def test_a_forbidden_type_is_unexpected_at_once() -> None:
    assert failures(judge_one(rule("absence", "A"), at(1, "A"), at(2, "A"), as_of=2)) == [("unexpected", 1)]


def test_one_too_many_is_a_duplicate_since_it_came() -> None:
    assert failures(judge_one(rule("absence", "A", n=2), *TWICE, at(3, "A"), as_of=3)) == [("duplicate", 2)]
    assert failures(judge_one(rule("exactly", "A", n=2), *TWICE, at(3, "A"), as_of=3)) == [("duplicate", 3)]


def test_fewer_than_forbidden_is_satisfied() -> None:
    assert judge_one(rule("absence", "A", n=3), *TWICE).status is Status.SATISFIED


def test_exactly_as_many_satisfy_and_fewer_are_missing() -> None:
    assert judge_one(rule("exactly", "A", n=2), *TWICE).status is Status.SATISFIED
    assert failures(judge_one(rule("exactly", "A", n=3), *TWICE, timeout=4, as_of=4)) == [("missing", 4)]


def test_only_events_for_which_when_is_true_count() -> None:
    events = (at(0, "A", items=1), at(1, "A", items=5), at(2, "A"))
    assert failures(judge_one(rule("absence", "A", when="items > 3"), *events)) == [("unexpected", 1)]
    assert judge_one(rule("exactly", "A", n=1, when="items > 3"), *events).status is Status.SATISFIED
    assert judge_one(rule("existence", "A", n=2, when="NOT items > 3"), *events).status is Status.VIOLATED


@pytest.mark.parametrize("seq", [0, 1])
def test_a_case_that_begins_otherwise_is_violated_at_once(seq: int) -> None:
    events = (at(1, "B"), at(1 if seq else 2, "A", seq=seq))
    assert failures(judge_one(rule("init", "A"), *events, as_of=2)) == [("out_of_order", 1)]


def test_a_case_that_begins_otherwise_and_never_has_it_misses_it() -> None:
    assert failures(judge_one(rule("init", "A"), at(1, "B"), as_of=1)) == [("missing", 1)]
    assert failures(judge_one(rule("init", "A", when="items = 1"), at(1, "A", items=2), as_of=1)) == [("missing", 1)]


def test_any_of_the_concurrent_events_may_be_the_first_or_the_last() -> None:
    events = (at(1, "A"), at(1, "B"))
    for type in "AB":
        assert judge_one(rule("init", type), *events).status is Status.SATISFIED
        assert judge_one(rule("end", type), *events).status is Status.SATISFIED


def test_a_case_that_so_far_has_only_unexpected_events_may_still_begin_well() -> None:
    events = (at(0, "surprise"),)
    verdict = judge_one(rule("init", "A"), *events, as_of=1, timeout=2, unexpected="forbid")
    assert verdict.status is Status.PENDING
    assert failures(judge_one(rule("init", "A"), *events, as_of=2, timeout=2, unexpected="forbid")) == [("missing", 2)]


def test_the_last_event_is_judged_when_the_case_has_ended() -> None:
    events = (at(0, "A"), at(1, "B"))
    assert judge_one(rule("end", "A"), *events, as_of=1, timeout=3).status is Status.PENDING
    assert failures(judge_one(rule("end", "A"), *events, as_of=3, timeout=3)) == [("out_of_order", 3)]
    assert failures(judge_one(rule("end", "C"), *events, as_of=3, timeout=3)) == [("missing", 3)]
    assert judge_one(rule("end", "B"), *events, as_of=1, timeout=3).status is Status.SATISFIED


def test_a_choice_waits_for_either() -> None:
    choice = rule("choice", "A", "B")
    assert judge_one(choice, at(0, "B"), as_of=1).status is Status.SATISFIED
    assert judge_one(choice, at(0, "C"), as_of=1, timeout=2).status is Status.PENDING
    assert failures(judge_one(choice, at(0, "C"), as_of=2, timeout=2)) == [("missing", 2)]


def test_an_exclusive_choice_fails_when_the_second_of_them_comes() -> None:
    choice = rule("exclusive_choice", "A", "B")
    assert judge_one(choice, at(0, "A"), at(1, "A"), as_of=1).status is Status.SATISFIED
    assert judge_one(choice, at(0, "C"), as_of=1, timeout=2).status is Status.PENDING
    assert failures(judge_one(choice, at(0, "C"), as_of=2, timeout=2)) == [("missing", 2)]
    assert failures(judge_one(choice, at(3, "B"), at(0, "A"), at(4, "B"), as_of=5)) == [("unexpected", 3)]


def test_a_condition_on_a_choice_filters_both_types() -> None:
    choice = rule("exclusive_choice", "A", "B", when="items = 1")
    assert judge_one(choice, at(0, "A", items=1), at(1, "B", items=2)).status is Status.SATISFIED
