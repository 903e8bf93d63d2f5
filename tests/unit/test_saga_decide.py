"""What is done next in a saga, told as stories."""

from __future__ import annotations

import msgspec
import pytest

from saga_stories import PURCHASE, SECONDS, branching, purchase
from sagacity.errors import DefinitionError
from sagacity.saga.decide import begin, decide, quarantine, resources
from sagacity.saga.decide.timing import pause
from sagacity.saga.definition import Retry
from sagacity.saga.happenings import Due, Released, Replied
from sagacity.saga.locks import may_run
from sagacity.saga.state import decode, encode
from sagacity.testing.prose import Story, given


def _ordered() -> Story:
    """A purchase whose inventory is reserved and whose order is made."""
    return (
        given(PURCHASE)
        .started({"items": 2})
        .expect_command("reserve", items=2)
        .reply_success({"id": "r-1"})
        .expect_command("order")
        .reply_success({"id": "o-1"})
    )


def _paid() -> Story:
    return _ordered().expect_command("pay", order="o-1", saga="saga-1").reply_success().expect_command("ship")


def test_a_purchase_completes() -> None:
    story = _paid().reply_success().expect_outcome("completed")
    assert [event.type for event in story.events] == ["SagaStarted", *["StepCompleted"] * 4, "SagaCompleted"]
    assert [event.number for event in story.events] == [1, 2, 3, 4, 5, 6]


def test_a_refused_card_undoes_the_order_and_then_the_reservation() -> None:
    (
        _ordered()
        .expect_command("pay")
        .reply_failure("card refused")
        .expect_compensation("order")
        .expect_nothing()
        .reply_success()
        .expect_compensation("reserve", reservation="r-1")
        .reply_success()
        .expect_outcome("compensated")
        .expect_step("pay", "failed")
        .expect_event("CompensationStarted")
    )


def test_the_step_that_failed_is_not_undone() -> None:
    (
        given(PURCHASE)
        .started()
        .expect_command("reserve")
        .reply_failure("sold out")
        .expect_outcome("compensated")
        .expect_step("reserve", "failed")
    )


def test_a_silent_participant_is_asked_the_same_again() -> None:
    story = given(PURCHASE).started().expect_command("reserve").when_due().expect_command("reserve")
    assert story.saga.steps["reserve"].attempt == 1
    story.reply_success({"id": "r-1"}).expect_command("order")


def test_what_is_sent_again_is_the_same_to_the_byte() -> None:
    first = begin(PURCHASE, "s", b'{"items": 3}', 7)
    again = decide(PURCHASE, first.saga, Due(), first.due or 0)
    assert again.commands == (msgspec.structs.replace(first.commands[0], again=True),)


def test_a_step_of_which_nothing_is_known_is_undone() -> None:
    (
        given(PURCHASE)
        .started()
        .expect_command("reserve")
        .when_due()
        .expect_command("reserve")
        .when_due()
        .expect_step("reserve", "undoing")
        .expect_event("StepTimedOut", "reserve")
        .expect_compensation("reserve", reservation=None)
        .reply_success()
        .expect_outcome("compensated")
    )


def test_a_passing_failure_is_given_anew_after_a_pause() -> None:
    story = given(PURCHASE).started().expect_command("reserve").reply_failure("busy", transient=True).expect_nothing()
    story.expect_step("reserve", "resting").when_due().expect_command("reserve")
    assert story.saga.steps["reserve"].attempt == 2
    story.reply_failure("busy", transient=True).expect_outcome("compensated")


def test_a_payment_of_which_nothing_is_known_is_asked_for_again_and_then_parked() -> None:
    story = _ordered().expect_command("pay").after(60 * SECONDS).expect_command("pay").expect_nothing()
    story.expect_status("parked").expect_step("pay", "parked").expect_event("SagaParked", "pay")
    assert story.saga.steps["pay"].cause == "no answer in time"
    assert story.saga.due is None


def test_an_answer_that_comes_after_all_resumes_what_was_parked_for_want_of_it() -> None:
    parked = _ordered().expect_command("pay").after(60 * SECONDS).expect_command("pay")
    parked.reply_success().expect_event("SagaResumed", "pay").expect_command("ship").expect_status("running")
    parked = _ordered().expect_command("pay").after(60 * SECONDS).expect_command("pay")
    parked.reply_failure("card refused").expect_compensation("order").expect_status("compensating")


def test_a_step_past_the_point_of_no_return_is_given_again_and_then_parked() -> None:
    story = _paid().reply_failure("no driver").expect_step("ship", "resting").when_due().expect_command("ship")
    story.reply_failure("no driver").expect_outcome("parked").expect_step("ship", "parked")
    story.ordered("retry", by="anna").expect_command("ship")
    assert story.saga.steps["ship"].attempt == 3
    story.reply_success().expect_outcome("completed")


def test_a_compensation_that_fails_is_given_again_and_then_parked() -> None:
    story = _ordered().expect_command("pay").reply_failure("card refused").expect_compensation("order")
    story.reply_failure("locked").when_due().expect_compensation("order").reply_failure("locked")
    story.expect_outcome("parked").expect_step("order", "undo-parked")
    story.ordered("resume", by="anna").expect_compensation("order").reply_success()
    story.expect_compensation("reserve").reply_success().expect_outcome("compensated")


def test_an_operator_who_knows_better_skips_a_compensation() -> None:
    story = _ordered().expect_command("pay").reply_failure("card refused").expect_compensation("order")
    story.after(60 * SECONDS).expect_compensation("order").expect_outcome("parked")
    story.ordered("skip", by="anna", reason="cancelled by hand").expect_event("CompensationSkipped", "order")
    story.expect_compensation("reserve").reply_success().expect_outcome("compensated")


def test_branches_run_beside_each_other_and_are_undone_in_reverse() -> None:
    story = given(branching()).started().expect_command("a").expect_command("c").expect_nothing()
    story.reply_success(to="a").expect_command("b").reply_success(to="c").expect_nothing()
    story.reply_success(to="b").expect_command("d").reply_failure("no")
    story.expect_compensation("b").expect_compensation("c").expect_nothing()
    story.reply_success(to="c").expect_nothing().reply_success(to="b").expect_compensation("a").reply_success()
    story.expect_outcome("compensated")


def test_what_is_in_flight_settles_before_anything_is_undone() -> None:
    story = given(branching()).started().expect_command("a").expect_command("c").reply_success(to="a").expect_command("b")
    story.reply_failure("no", to="c").expect_nothing().expect_status("compensating")
    story.reply_success(to="b").expect_compensation("b").expect_nothing()


def test_what_is_in_flight_when_the_saga_turns_back_is_not_asked_again() -> None:
    story = given(branching()).started().expect_command("a").expect_command("c")
    story.reply_failure("no", to="c").when_due().expect_step("a", "undoing").expect_compensation("a").expect_nothing()


def test_a_step_that_rests_when_the_saga_turns_back_has_failed() -> None:
    story = given(branching()).started().expect_command("a").expect_command("c")
    story.reply_failure("busy", transient=True, to="a").reply_failure("no", to="c")
    story.expect_outcome("compensated").expect_step("a", "failed")


def test_a_saga_whose_time_is_up_turns_back() -> None:
    story = given(purchase(timeout=15 * SECONDS)).started().expect_command("reserve").reply_success({"id": "r-1"})
    story.expect_command("order").after(15 * SECONDS).expect_command("order").expect_status("compensating").expect_nothing()
    story.reply_success().expect_compensation("order")


def test_a_saga_past_its_point_of_no_return_has_all_the_time_it_needs() -> None:
    timed = given(purchase(timeout=5 * SECONDS)).started().expect_command("reserve").reply_success()
    timed.expect_command("order").reply_success().expect_command("pay").after(6 * SECONDS).expect_status("running")
    timed.reply_success().expect_command("ship").after(6 * SECONDS).expect_status("running")


def test_a_payment_that_fails_once_time_is_up_is_not_tried_again() -> None:
    timed = given(purchase(timeout=5 * SECONDS)).started().expect_command("reserve").reply_success()
    timed.expect_command("order").reply_success().expect_command("pay").after(6 * SECONDS)
    timed.reply_failure("busy", transient=True).expect_status("compensating").expect_compensation("order")


def test_a_waiting_saga_sends_nothing_until_it_is_released() -> None:
    story = given(purchase(resource="input.account")).started({"account": 1}, waiting=True).expect_outcome("waiting")
    assert story.saga.resources == ("account=1",)
    story.released().expect_event("SagaReleased").expect_command("reserve").expect_status("running")


def test_a_waiting_saga_whose_time_is_up_ends_without_having_done_anything() -> None:
    locked = purchase(resource="input.account", timeout=SECONDS)
    given(locked).started({"account": 1}, waiting=True).after(2 * SECONDS).expect_outcome("compensated")


def test_sagas_of_one_resource_run_in_the_order_of_their_start() -> None:
    unended = [("s1", ("a", "b")), ("s2", ("b", "c")), ("s3", ("c",)), ("s4", ()), ("s5", ("d",))]
    assert may_run(unended) == ("s1", "s4", "s5")
    assert may_run(unended[1:]) == ("s2", "s4", "s5")


def test_resources_are_taken_from_the_input() -> None:
    locked = purchase(resource=("input.account", "input.shop", "input.missing"))
    assert resources(locked, "s", b'{"shop": "x", "account": 17}') == ("account=17", 'shop="x"')


def test_a_poisoned_saga_takes_nothing_until_it_is_resumed_and_then_asks_again() -> None:
    story = given(PURCHASE).started().expect_command("reserve")
    parked = quarantine(story.saga, "version 1 of purchase is not known", 5)
    assert parked.saga.status == "parked"
    assert [(event.type, event.cause) for event in parked.events] == [("SagaParked", "version 1 of purchase is not known")]
    unheard = decide(PURCHASE, parked.saga, Replied("saga-1/reserve/do/1", success=True), 6)
    assert unheard.ignored == "late"
    story.saga = unheard.saga
    story.ordered("resume", by="anna").expect_command("reserve").reply_success().expect_command("order")


def test_a_saga_is_decided_by_its_own_version_alone() -> None:
    begun = begin(PURCHASE, "s", b"null", 0)
    with pytest.raises(DefinitionError, match="runs purchase 1"):
        decide(msgspec.structs.replace(PURCHASE, version=2), begun.saga, Due(), 0)


def test_a_release_that_nobody_waits_for_changes_nothing() -> None:
    begun = begin(PURCHASE, "s", b"null", 0)
    assert decide(PURCHASE, begun.saga, Released(), 0).saga == begun.saga


def test_the_times_of_events_never_go_back() -> None:
    begun = begin(PURCHASE, "s", b"null", 1_000)
    replied = decide(PURCHASE, begun.saga, Replied("s/reserve/do/1", success=True), 10)
    assert [event.time for event in replied.events] == [1_000]
    assert replied.due == 10 + 10_000_000


def test_a_state_survives_json() -> None:
    saga = _ordered().saga
    assert decode(encode(saga)) == saga


def test_pauses_grow_to_a_bound_and_differ_by_half_of_themselves() -> None:
    retry = Retry(attempts=9, first=SECONDS, factor=2.0, most=8 * SECONDS)
    for number, longest in ((1, 1), (2, 2), (3, 4), (4, 8), (9, 8), (10_000, 8)):
        pauses = {pause(retry, number, f"s{each}/a/do/1") for each in range(200)}
        assert longest * 500_000 <= min(pauses) < longest * 600_000
        assert longest * 900_000 < max(pauses) <= longest * 1_000_000
    assert pause(retry, 3, "s/a/do/1") == pause(retry, 3, "s/a/do/1")
