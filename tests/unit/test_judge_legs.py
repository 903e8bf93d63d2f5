"""Legs: every activation asks for a target, or for none, on one side of it."""

from __future__ import annotations

import pytest

from judged import DAY, at, failures, judge_one, rule
from sagacity.workflow.trace import FOREVER, Event
from sagacity.workflow.verdict import Status

NEVER = "never"


def test_each_activation_is_judged_alone() -> None:
    events = (at(0, "A"), at(8, "A"), at(9, "B"))
    verdict = judge_one(rule("response", "A", "B", within=7), *events, as_of=9)
    assert failures(verdict) == [("A", 0, "late", 7)]
    assert (verdict.activations, verdict.fulfilled, verdict.pending) == (2, 1, 0)


def test_one_target_may_serve_several_activations() -> None:
    assert judge_one(rule("response", "A", "B"), at(0, "A"), at(1, "A"), at(2, "B")).status is Status.SATISFIED


def test_a_rule_that_nothing_activates_is_vacuous() -> None:
    verdict = judge_one(rule("response", "A", "B"), at(0, "B"), as_of=5)
    assert (verdict.status, verdict.activations, verdict.due) == (Status.VACUOUS, 0, None)


def test_a_deadline_is_met_to_the_microsecond_and_missed_one_later() -> None:
    within_a_week = rule("response", "A", "B", within=7)
    due, late = 7 * DAY, 7 * DAY + 1
    assert failures(judge_one(within_a_week, at(0, "A"), Event("B", due))) == []
    assert failures(judge_one(within_a_week, at(0, "A"), Event("B", late))) == [("A", 0, "late", 7)]


def test_what_is_not_there_is_pending_until_it_is_due() -> None:
    within_a_week = rule("response", "A", "B", within=7)
    before = judge_one(within_a_week, at(0, "A"), as_of=7 - 1 / DAY)
    assert (before.status, before.pending, before.due) == (Status.PENDING, 1, 7 * DAY)
    assert failures(judge_one(within_a_week, at(0, "A"), as_of=7)) == [("A", 0, "missing", 7)]


def test_the_earliest_due_time_of_what_is_pending_is_told() -> None:
    verdict = judge_one(rule("response", "A", "B", within=7), at(1, "A"), at(0, "A"), as_of=2)
    assert (verdict.pending, verdict.due) == (2, 7 * DAY)


def test_without_a_window_the_end_of_the_case_is_due() -> None:
    response = rule("response", "A", "B")
    assert judge_one(response, at(0, "A"), as_of=99).due == FOREVER
    assert judge_one(response, at(0, "A"), as_of=99).status is Status.PENDING
    assert failures(judge_one(response, at(0, "A"), at(3, "C"), as_of=3, ends=("C",))) == [("A", 0, "missing", 3)]
    assert failures(judge_one(response, at(0, "A"), at(3, "C"), at(4, "B"), ends=("C",))) == []
    assert failures(judge_one(response, at(0, "A"))) == [("A", 0, "missing", NEVER)]


def test_a_target_on_the_wrong_side_is_out_of_order() -> None:
    assert failures(judge_one(rule("response", "A", "B"), at(0, "B"), at(1, "A"))) == [("A", 1, "out_of_order", NEVER)]
    assert failures(judge_one(rule("precedence", "A", "B"), at(0, "B"), at(1, "A"))) == [("B", 0, "out_of_order", 0)]


def test_a_precedence_fails_at_once() -> None:
    assert failures(judge_one(rule("precedence", "A", "B"), at(1, "B"), as_of=1)) == [("B", 1, "missing", 1)]


def test_a_window_of_precedence_reaches_back() -> None:
    fresh = rule("precedence", "A", "B", within=2)
    assert failures(judge_one(fresh, at(0, "A"), at(2, "B"))) == []
    assert failures(judge_one(fresh, at(0, "A"), Event("B", 2 * DAY + 1))) == [("B", 2 + 1 / DAY, "late", 2 + 1 / DAY)]


@pytest.mark.parametrize("template", ["response", "precedence", "succession", "alternate_succession", "chain_succession"])
def test_concurrent_events_may_have_come_in_either_order(template: str) -> None:
    assert judge_one(rule(template, "A", "B"), at(1, "A"), at(1, "B")).status is Status.SATISFIED
    assert judge_one(rule(template, "B", "A"), at(1, "A"), at(1, "B")).status is Status.SATISFIED


@pytest.mark.parametrize("template", ["not_response", "not_precedence", "not_succession", "not_chain_succession"])
def test_concurrent_events_need_not_have_come_in_the_forbidden_order(template: str) -> None:
    assert judge_one(rule(template, "A", "B"), at(1, "A"), at(1, "B")).status is Status.SATISFIED
    assert judge_one(rule(template, "A", "B"), at(1, "A"), at(1, "B", seq=1)).status is Status.VIOLATED


def test_the_position_in_the_source_orders_events_of_one_time() -> None:
    events = (at(1, "A", seq=2), at(1, "B", seq=1))
    assert failures(judge_one(rule("response", "A", "B"), *events)) == [("A", 1, "out_of_order", NEVER)]


def test_an_event_never_answers_itself() -> None:
    assert failures(judge_one(rule("response", "A", "A"), at(0, "A"), at(1, "A"))) == [("A", 1, "out_of_order", NEVER)]
    assert failures(judge_one(rule("responded_existence", "A", "A"), at(0, "A"))) == [("A", 0, "missing", NEVER)]
    assert judge_one(rule("response", "A", "A"), at(0, "A"), at(0, "A")).fulfilled == 2


def test_succession_judges_both_types() -> None:
    verdict = judge_one(rule("succession", "A", "B"), at(0, "B"), at(1, "A"), timeout=5)
    assert failures(verdict) == [("B", 0, "out_of_order", 0), ("A", 1, "out_of_order", 5)]
    assert judge_one(rule("succession", "A", "B"), at(0, "A"), at(1, "B")).fulfilled == 2


def test_a_responded_existence_is_met_before_or_after() -> None:
    responded = rule("responded_existence", "A", "B", within=1)
    assert failures(judge_one(responded, at(0, "B"), at(5, "A"))) == []
    assert failures(judge_one(responded, at(5, "A"), at(6, "B"))) == []
    assert failures(judge_one(responded, at(5, "A"), at(7, "B"))) == [("A", 5, "late", 6)]
    assert judge_one(responded, at(5, "A"), as_of=5.5).status is Status.PENDING


def test_co_existence_asks_each_for_the_other() -> None:
    assert failures(judge_one(rule("co_existence", "A", "B"), at(0, "B"), timeout=1)) == [("B", 0, "missing", 1)]
    assert judge_one(rule("co_existence", "A", "B"), at(0, "B"), at(1, "A")).fulfilled == 2


def test_an_alternate_response_comes_before_the_next_activation() -> None:
    alternate = rule("alternate_response", "A", "B")
    assert failures(judge_one(alternate, at(0, "A"), at(1, "A"), at(2, "B"), as_of=2)) == [("A", 0, "out_of_order", 1)]
    assert failures(judge_one(alternate, at(0, "A"), at(1, "B"), at(1, "A"), at(2, "B"))) == []
    assert judge_one(alternate, at(0, "A"), as_of=9).status is Status.PENDING


def test_an_alternate_response_within_a_window_is_due_at_the_earlier_of_the_two() -> None:
    alternate = rule("alternate_response", "A", "B", within=2)
    assert failures(judge_one(alternate, at(0, "A"), at(3, "B"), at(5, "A"), as_of=5)) == [("A", 0, "late", 2)]
    assert failures(judge_one(alternate, at(0, "A"), at(1, "A"), at(2, "B"), as_of=5)) == [("A", 0, "out_of_order", 1)]


def test_only_an_activation_for_which_when_is_true_cuts_an_alternate_response_off() -> None:
    alternate = rule("alternate_response", "A", "B", when="items > 0")
    events = (at(0, "A", items=1), at(1, "A", items=0), at(2, "B"))
    verdict = judge_one(alternate, *events)
    assert (verdict.status, verdict.activations) == (Status.SATISFIED, 1)


def test_an_alternate_precedence_has_its_target_since_the_previous_activation() -> None:
    alternate = rule("alternate_precedence", "A", "B")
    assert failures(judge_one(alternate, at(0, "A"), at(1, "B"), at(2, "B"))) == [("B", 2, "out_of_order", 2)]
    assert failures(judge_one(alternate, at(0, "A"), at(1, "B"), at(1, "A"), at(2, "B"))) == []


def test_alternate_succession_takes_turns() -> None:
    alternate = rule("alternate_succession", "A", "B")
    assert failures(judge_one(alternate, at(0, "A"), at(1, "B"), at(2, "A"), at(3, "B"))) == []
    assert failures(judge_one(alternate, at(0, "A"), at(1, "A"), at(2, "B"), at(3, "B"))) == [
        ("A", 0, "out_of_order", 1),
        ("B", 3, "out_of_order", 3),
    ]


def test_a_chain_response_is_the_very_next_event() -> None:
    chain = rule("chain_response", "A", "B")
    assert failures(judge_one(chain, at(0, "A"), at(1, "B"))) == []
    assert failures(judge_one(chain, at(0, "A"), at(1, "C"), at(2, "B"), as_of=2)) == [("A", 0, "out_of_order", 1)]
    assert failures(judge_one(chain, at(0, "A"), at(1, "C"), at(1, "B"))) == []
    assert judge_one(chain, at(0, "A"), as_of=9).status is Status.PENDING
    assert failures(judge_one(rule("chain_response", "A", "B", within=1), at(0, "A"), at(2, "B"))) == [("A", 0, "late", 1)]


def test_an_event_of_a_type_that_the_rule_does_not_name_is_a_neighbour_and_an_unexpected_one_is_not() -> None:
    chain = rule("chain_precedence", "A", "B")
    assert failures(judge_one(chain, at(0, "A"), at(1, "D"), at(2, "B"))) == [("B", 2, "out_of_order", 2)]
    assert failures(judge_one(chain, at(0, "A"), at(1, "surprise"), at(2, "B"), unexpected="forbid")) == []


def test_chain_succession_holds_on_both_sides() -> None:
    chain = rule("chain_succession", "A", "B")
    assert failures(judge_one(chain, at(0, "A"), at(1, "B"))) == []
    assert failures(judge_one(chain, at(0, "A"), at(1, "B"), at(2, "B"))) == [("B", 2, "out_of_order", 2)]


def test_what_must_not_follow_is_unexpected_since_the_first_that_does() -> None:
    events = (at(0, "A"), at(1, "B"), at(2, "B"))
    assert failures(judge_one(rule("not_response", "A", "B"), *events, as_of=2)) == [("A", 0, "unexpected", 1)]
    assert failures(judge_one(rule("not_response", "B", "A"), *events, as_of=2)) == []


def test_a_window_limits_what_must_not_follow() -> None:
    assert failures(judge_one(rule("not_response", "A", "B", within=1), at(0, "A"), Event("B", DAY + 1))) == []
    assert failures(judge_one(rule("not_precedence", "A", "B", within=1), at(0, "A"), Event("B", DAY + 1))) == []
    assert failures(judge_one(rule("not_precedence", "A", "B", within=1), at(0, "A"), at(1, "B"))) == [
        ("B", 1, "unexpected", 1)
    ]


def test_what_must_not_exist_together_is_unexpected_since_the_later_of_the_two() -> None:
    events = (at(0, "B"), at(1, "A"), at(2, "B"))
    assert failures(judge_one(rule("not_responded_existence", "A", "B"), *events)) == [("A", 1, "unexpected", 1)]
    assert failures(judge_one(rule("not_co_existence", "A", "B"), *events)) == [
        ("B", 0, "unexpected", 1),
        ("A", 1, "unexpected", 1),
        ("B", 2, "unexpected", 2),
    ]


def test_not_succession_blames_both() -> None:
    assert failures(judge_one(rule("not_succession", "A", "B"), at(0, "A"), at(1, "B"))) == [
        ("A", 0, "unexpected", 1),
        ("B", 1, "unexpected", 1),
    ]


def test_a_forbidden_neighbour_is_unexpected_only_where_no_other_event_may_stand_there() -> None:
    never_next = rule("not_chain_response", "A", "B")
    assert failures(judge_one(never_next, at(0, "A"), at(1, "B"))) == [("A", 0, "unexpected", 1)]
    assert failures(judge_one(never_next, at(0, "A"), at(1, "B"), at(1, "C"))) == []
    assert failures(judge_one(never_next, at(0, "A"), at(0, "B"))) == []
    assert failures(judge_one(never_next, at(0, "A"), at(0, "B"), at(1, "C"))) == []
    assert failures(judge_one(never_next, at(0, "A"), at(0, "C"), at(1, "B"))) == []
    assert failures(judge_one(never_next, at(0, "A"), at(0, "B"), at(1, "B"))) == [("A", 0, "unexpected", 1)]


def test_a_forbidden_neighbour_before_is_unexpected_since_the_activation() -> None:
    never_before = rule("not_chain_precedence", "A", "B")
    assert failures(judge_one(never_before, at(0, "A"), at(1, "B"))) == [("B", 1, "unexpected", 1)]
    assert failures(judge_one(never_before, at(0, "A"), at(0.5, "C"), at(1, "B"))) == []
    assert failures(judge_one(rule("not_chain_precedence", "A", "B", within=0.5), at(0, "A"), at(1, "B"))) == []


def test_not_chain_succession_blames_both() -> None:
    assert failures(judge_one(rule("not_chain_succession", "A", "B"), at(0, "A"), at(1, "B"))) == [
        ("A", 0, "unexpected", 1),
        ("B", 1, "unexpected", 1),
    ]


def test_when_filters_activations_and_never_targets() -> None:
    paid = rule("response", "A", "B", when="items > 1")
    verdict = judge_one(paid, at(0, "A", items=1), at(1, "A", items=2), at(2, "A"), at(3, "B", items=0))
    assert (verdict.activations, verdict.fulfilled) == (1, 1)


def test_where_joins_an_activation_and_a_target() -> None:
    same = rule("response", "A", "B", where="a.ref = b.ref")
    assert failures(judge_one(same, at(0, "A", ref="x"), at(1, "B", ref="x"))) == []
    assert failures(judge_one(same, at(0, "A", ref="x"), at(1, "B", ref="y"))) == [("A", 0, "mismatch", NEVER)]
    assert failures(judge_one(same, at(0, "A", ref="x"), at(1, "B"))) == [("A", 0, "mismatch", NEVER)]
    assert failures(judge_one(same, at(0, "A"), at(1, "B"))) == [("A", 0, "mismatch", NEVER)]


def test_in_a_where_a_and_b_are_the_places_of_the_template_in_either_leg() -> None:
    growing = rule("succession", "A", "B", where="a.items < b.items")
    assert failures(judge_one(growing, at(0, "A", items=1), at(1, "B", items=2))) == []
    assert failures(judge_one(growing, at(0, "A", items=2), at(1, "B", items=1), timeout=3)) == [
        ("A", 0, "mismatch", 3),
        ("B", 1, "mismatch", 1),
    ]


def test_a_candidate_anywhere_outranks_a_mismatch() -> None:
    same = rule("response", "A", "B", where="a.ref = b.ref", within=1)
    early_and_wrong = (at(0, "B", ref="x"), at(1, "A", ref="x"), at(2, "B", ref="y"))
    assert failures(judge_one(same, *early_and_wrong)) == [("A", 1, "out_of_order", 2)]
    assert failures(judge_one(same, *early_and_wrong, at(4, "B", ref="x"))) == [("A", 1, "late", 2)]


def test_amounts_in_different_currencies_do_not_agree() -> None:
    paid = rule("response", "A", "B", where="a.amount = b.amount")
    euros = at(0, "A", amount=5, currency="EUR")
    assert failures(judge_one(paid, euros, at(1, "B", amount=5, currency="EUR"))) == []
    assert failures(judge_one(paid, euros, at(1, "B", amount=5, currency="USD"))) == [("A", 0, "mismatch", NEVER)]


def test_an_activation_after_the_end_of_its_case_fails_from_its_own_time() -> None:
    late = at(5, "A")
    verdict = judge_one(rule("response", "A", "B"), at(0, "D"), at(3, "C"), late, ends=("C",))
    assert failures(verdict) == [("A", 5, "missing", 5)]
