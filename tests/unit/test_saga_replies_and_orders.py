"""Which replies count, and which orders can be carried out."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from saga_stories import PURCHASE, SECONDS, branching
from sagacity.errors import UsageError
from sagacity.messaging import Envelope
from sagacity.messaging.wire import encode
from sagacity.saga.decide import begin, decide, quarantine
from sagacity.saga.happenings import Order, Ordered, Replied
from sagacity.saga.identity import command_id, read_command_id
from sagacity.saga.messages import Address, Failure, address, command_message, event_message, replied, reply
from sagacity.sources.envelope import KAFKA, record
from sagacity.testing.prose import Story, given


def _reserving() -> Story:
    return given(PURCHASE).started().expect_command("reserve")


@pytest.mark.parametrize(
    "cause",
    [
        "", "saga-1", "saga-2/reserve/do/1", "saga-1/reserve/do/2", "saga-1/reserve/do/0", "saga-1/reserve/undo/1",
        "saga-1/reserve/do/01", "saga-1/reserve/do/x", "saga-1/stock/do/1", "saga-1/reserve/redo/1", "saga-1/order/do/1",
    ],
)  # fmt: skip
def test_an_answer_to_no_command_of_the_saga_is_foreign(cause: str) -> None:
    story = _reserving().happens(Replied(cause, success=True)).expect_outcome("running")
    assert (story.saga.foreign, story.saga.late, story.saga.doubled) == (1, 0, 0)


def test_an_answer_that_comes_twice_counts_once() -> None:
    story = _reserving().reply_success().expect_command("order").happens(Replied("saga-1/reserve/do/1", success=False))
    assert (story.saga.foreign, story.saga.late, story.saga.doubled) == (0, 0, 1)
    story.expect_outcome("running")


def test_an_answer_to_an_earlier_attempt_counts_no_more() -> None:
    story = _reserving().reply_failure("busy", transient=True).when_due().expect_command("reserve")
    story.happens(Replied("saga-1/reserve/do/1", success=False, reason="busy")).expect_outcome("running")
    assert story.saga.doubled == 1


def test_an_answer_after_the_step_was_given_up_is_late() -> None:
    story = _reserving().after(60 * SECONDS).expect_command("reserve").expect_compensation("reserve")
    story.happens(Replied("saga-1/reserve/do/1", success=True)).expect_step("reserve", "undoing")
    assert (story.saga.foreign, story.saga.late, story.saga.doubled) == (0, 1, 0)


def test_an_answer_after_the_end_is_counted_and_ignored() -> None:
    story = _reserving().reply_failure("sold out").happens(Replied("saga-1/reserve/do/1", success=True))
    story.expect_outcome("compensated")
    assert story.saga.doubled == 1


def test_ids_are_read_as_they_were_made() -> None:
    assert read_command_id(command_id("a/b/do/1", "step", "undo", 12)) == ("a/b/do/1", "step", "undo", 12)
    assert read_command_id("a/b/do/1") == ("a", "b", "do", 1)
    assert read_command_id("b/do/1") is None


@pytest.mark.parametrize("order", ["retry", "skip", "abandon", "resume"])
def test_what_is_not_parked_is_left_alone(order: Order) -> None:
    story = _reserving()
    with pytest.raises(UsageError, match="parked"):
        story.ordered(order)
    with pytest.raises(UsageError, match=r"reserve.* is asked|not parked"):
        story.ordered(order, "reserve")


@pytest.mark.parametrize("order", ["retry", "skip", "compensate", "abandon", "resume"])
def test_nothing_is_ordered_of_a_saga_that_has_ended(order: Order) -> None:
    with pytest.raises(UsageError, match="is compensated"):
        _reserving().reply_failure("sold out").ordered(order)


def test_an_order_for_a_step_that_there_is_not_names_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="its steps are reserve, order, pay, ship"):
        _reserving().ordered("retry", "stock")


def test_a_running_saga_can_be_turned_back() -> None:
    story = _reserving().ordered("compensate", by="anna", reason="fraud").expect_nothing().expect_status("compensating")
    assert [(event.type, event.by, event.cause) for event in story.events[-1:]] == [("CompensationStarted", "anna", "fraud")]
    story.reply_success({"id": "r"}).expect_compensation("reserve")


def _paying() -> Story:
    return _reserving().reply_success().expect_command("order").reply_success().expect_command("pay")


def test_a_saga_that_may_have_paid_is_not_turned_back() -> None:
    with pytest.raises(UsageError, match="point of no return"):
        _paying().ordered("compensate")
    with pytest.raises(UsageError, match="point of no return"):
        _paying().after(60 * SECONDS).expect_command("pay").ordered("compensate")


def test_a_saga_that_surely_has_not_paid_is_turned_back() -> None:
    story = _paying().reply_failure("busy", transient=True).expect_step("pay", "resting").ordered("compensate")
    story.expect_step("pay", "failed").expect_compensation("order")


def test_an_operator_who_knows_that_it_was_paid_goes_on() -> None:
    story = _paying().after(60 * SECONDS).expect_command("pay").ordered("skip", "pay", by="anna")
    story.expect_step("pay", "skipped").expect_command("ship").reply_success().expect_outcome("completed")


def test_a_payment_that_was_never_answered_is_retried_as_the_same() -> None:
    story = _paying().after(60 * SECONDS).expect_command("pay").ordered("retry").expect_command("pay")
    assert story.saga.steps["pay"].attempt == 1
    assert story.saga.steps["pay"].sends == 1


def test_a_saga_is_abandoned_as_it_stands() -> None:
    story = _paying().after(60 * SECONDS).expect_command("pay").ordered("abandon", by="anna", reason="test data")
    story.expect_outcome("abandoned").expect_event("SagaAbandoned")
    assert story.saga.due is None


def test_where_several_steps_are_parked_an_order_says_which() -> None:
    story = given(branching()).started().expect_command("a").expect_command("c").reply_success(to="a").reply_success(to="c")
    story.expect_command("b").reply_success().expect_command("d").reply_failure("no")
    story.expect_compensation("b").expect_compensation("c").after(3600 * 24 * SECONDS)
    with pytest.raises(UsageError, match="2 parked steps"):
        story.ordered("retry")
    story.ordered("retry", "b").expect_status("parked").ordered("retry", "c").expect_status("compensating")


def test_a_saga_in_quarantine_is_resumed_first() -> None:
    saga = quarantine(begin(PURCHASE, "s", b"null", 0).saga, "poison", 1).saga
    with pytest.raises(UsageError, match="in quarantine: poison"):
        decide(PURCHASE, saga, Ordered("retry"), 2)
    assert decide(PURCHASE, saga, Ordered("abandon"), 2).events[-1].cause == "poison"


def test_a_saga_in_quarantine_that_is_turned_back_undoes_what_may_have_been_done() -> None:
    saga = quarantine(begin(PURCHASE, "s", b"null", 0).saga, "poison", 1).saga
    turned = decide(PURCHASE, saga, Ordered("compensate"), 2)
    assert [command.type for command in turned.commands] == ["ReleaseInventory"]


def test_commands_and_replies_say_what_they_are_about() -> None:
    decision = begin(PURCHASE, "s", b'{"items": 1.10}', 5, correlation_id="c", traceparent="00-1")
    message = command_message(PURCHASE, decision.saga, decision.commands[0])
    assert message.topic == "inventory"
    command = message.envelope
    assert (command.id, command.type, command.key, command.time) == ("s/reserve/do/1", "ReserveInventory", "s", 5)
    assert (command.correlation_id, command.traceparent, command.reply_to) == ("c", "00-1", "saga-replies")
    assert command.data == b'{"items":1.10}'
    assert address(command) == Address("s", "reserve", "do", 1)
    answer = reply(command, "/stock", 9, data=Raw(b'{"id": 1.50}'))
    assert (answer.type, answer.cause, answer.key, answer.correlation_id) == (
        "ReserveInventory.replied",
        command.id,
        "s",
        "c",
    )
    assert replied(answer) == Replied(command.id, success=True, data=Raw(b'{"id": 1.50}'))
    failed = reply(command, "/stock", 9, failure=Failure("sold out", transient=True))
    assert replied(failed) == Replied(command.id, success=False, reason="sold out", transient=True)
    event = event_message(PURCHASE, decision.saga, decision.events[0])
    assert (event.topic, event.envelope.id, event.envelope.type) == ("saga-events", "s/event/1", "SagaStarted")


@pytest.mark.parametrize(
    "changes",
    [
        {"cause": None},
        {"extensions": ()},
        {"extensions": (("sagaoutcome", "done"),)},
        {"extensions": (("sagaoutcome", "failed"),), "data": b"null"},
        {"extensions": (("sagaoutcome", "failed"),), "data": b"\xff"},
    ],
)
def test_what_is_no_reply_is_none(changes: dict[str, object]) -> None:
    said = {"extensions": (("sagaoutcome", "succeeded"),)}
    document = {"id": "1", "type": "X.replied", "source": "/s", "time": 0, "key": "k", "cause": "c", **said, **changes}
    assert replied(Envelope(**document)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "extensions", [(), (("sagaid", "s"),), (("sagaid", "s"), ("sagastep", "a"), ("sagadirection", "x"))]
)
def test_what_is_no_command_of_a_saga_has_no_address(extensions: tuple[tuple[str, str], ...]) -> None:
    assert address(Envelope(id="1", type="X", source="/s", time=0, key="k", extensions=extensions)) is None


def test_what_travels_is_what_the_generated_workflow_reads() -> None:
    decision = begin(PURCHASE, "s", b"{}", 5)
    command = command_message(PURCHASE, decision.saga, decision.commands[0]).envelope
    answer = reply(command, "/stock", 9, failure=Failure("sold out"))
    of = {"sagaid": "s", "saganame": "purchase", "sagaversion": "1"}
    which = {"sagastep": "reserve", "sagadirection": "do", "sagaattempt": "1"}
    for envelope, said in (
        (event_message(PURCHASE, decision.saga, decision.events[0]).envelope, of),
        (command, {**of, **which}),
        (answer, {**of, **which, "sagaoutcome": "failed"}),
    ):
        wire = encode(envelope)
        read = msgspec.json.decode(record(wire.value, wire.headers, KAFKA))
        assert {name: read.get(name) for name in said} == said
        assert (read["id"], read["type"]) == (envelope.id, envelope.type)
