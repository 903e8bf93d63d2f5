"""What is told in `purchase-result`, and that it is told with what it comes of."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from sagacity.errors import PublishError
from sagacity.messaging import Message
from sagacity.saga.decide import begin, decide
from sagacity.saga.decision import Decision
from sagacity.saga.happenings import Due, Ordered, Replied
from sagacity.saga.messages import command_message, event_message
from shop.contracts import topics
from shop.contracts.commands import PurchaseEnded, PurchaseStepChanged
from shop.orchestrator.definition import PURCHASE
from shop.orchestrator.results import result_of
from shop.orchestrator.telling import Telling

INPUT = msgspec.Raw(b'{"purchase_id":"7","customer_id":"3","currency":"USD","items":[]}')


class Course:
    """A saga under way, and every message that came of it."""

    def __init__(self) -> None:
        self.now = 0
        self.messages: list[Message] = []
        self._took(begin(PURCHASE, "7", INPUT, now=0))

    def reply(self, *, success: bool, reason: str | None = None) -> None:
        command = self.decision.commands[-1]
        self._then(Replied(command.id, success=success, data=msgspec.Raw(b'{"order_id":"1"}'), reason=reason))

    def order(self, order: str) -> None:
        self._then(Ordered(order, by="ada", reason="told so"))  # type: ignore[arg-type]

    def wait(self) -> None:
        assert self.decision.due is not None
        self.now = self.decision.due
        self._took(decide(PURCHASE, self.decision.saga, Due(), now=self.now))

    def _then(self, happening: Replied | Ordered | Due) -> None:
        self.now += 1_000_000
        self._took(decide(PURCHASE, self.decision.saga, happening, now=self.now))

    def _took(self, decision: Decision) -> None:
        self.decision = decision
        self.messages += [command_message(PURCHASE, decision.saga, each) for each in decision.commands]
        self.messages += [event_message(PURCHASE, decision.saga, each) for each in decision.events]

    def told(self) -> list[str]:
        found: list[str] = []
        for message in filter(None, map(result_of, self.messages)):
            assert (message.topic, message.envelope.key) == (topics.PURCHASE_RESULT, "7")
            if message.envelope.type == "PurchaseEnded":
                found.append(msgspec.json.decode(message.envelope.data, type=PurchaseEnded).result)
            else:
                step = msgspec.json.decode(message.envelope.data, type=PurchaseStepChanged)
                found.append(f"{step.step} {step.result}")
        return found


def test_a_purchase_that_completes_tells_each_step_and_then_success() -> None:
    """Defect 8: success of the payment was told before anything was paid."""
    course = Course()
    course.reply(success=True)
    course.reply(success=True)
    assert "CREATE_PAYMENT EXECUTE" in course.told()
    assert "CREATE_PAYMENT SUCCESS" not in course.told()
    course.reply(success=True)
    assert sorted(course.told()) == sorted(
        [f"{step} {result}" for step in PURCHASE.by_name for result in ("EXECUTE", "SUCCESS")] + ["SUCCESS"]
    )
    assert course.told()[-1] == "SUCCESS"


def test_a_purchase_that_turns_back_tells_what_failed_what_was_undone_and_one_end() -> None:
    course = Course()
    course.reply(success=True)
    course.reply(success=False, reason="no")
    course.reply(success=True)
    told = course.told()
    assert told[-2:] == ["UPDATE_PRODUCT_INVENTORY ROLLBACK", "FAILED"]
    assert "CREATE_ORDER FAILED" in told
    assert told.count("FAILED") == 1


def test_a_rollback_that_fails_for_good_is_told_and_so_is_who_ends_it() -> None:
    course = Course()
    course.reply(success=True)
    course.reply(success=False, reason="no")
    for _ in range(200):
        if course.decision.saga.status == "parked":
            break
        if course.decision.commands:
            course.reply(success=False, reason="no stock table")
        else:
            course.wait()
    assert course.told()[-1] == "UPDATE_PRODUCT_INVENTORY ROLLBACK_FAILED"
    course.order("abandon")
    assert course.told()[-1] == "ROLLBACK_FAILED"


def test_every_field_is_written_also_where_it_is_nought_or_none() -> None:
    """Defect 8: fields of an enumeration whose value is zero vanished from the JSON."""
    first = next(filter(None, map(result_of, Course().messages)))
    assert msgspec.json.decode(first.envelope.data) == {
        "purchase_id": "7", "step": "UPDATE_PRODUCT_INVENTORY", "result": "EXECUTE", "time": 0, "reason": None,
    }  # fmt: skip


class Refusing:
    """Keeps messages, but those of one topic."""

    def __init__(self, topic: str, *, for_good: bool = False, closed: bool = False) -> None:
        self.kept: list[Message] = []
        self._topic = topic
        self._for_good = for_good
        self._closed = closed

    async def publish(self, messages: Sequence[Message]) -> None:
        self.kept += [each for each in messages if each.topic != self._topic]
        if lost := [each for each in messages if each.topic == self._topic]:
            topics = {self._topic} if self._closed else ()
            raise PublishError("away", lost, refused=lost if self._for_good else (), topics=topics)

    async def close(self) -> None:
        return None


def test_a_result_that_may_be_lost_has_its_message_sent_again() -> None:
    messages = Course().messages
    publisher = Telling(Refusing(topics.PURCHASE_RESULT))
    with pytest.raises(PublishError) as caught:
        asyncio.run(publisher.publish(messages))
    assert {id(each) for each in caught.value.uncertain} == {id(each) for each in messages if result_of(each) is not None}


def test_a_topic_that_may_not_be_written_to_rests_and_nothing_else_does() -> None:
    publisher = Telling(Refusing(topics.SAGA_EVENTS, closed=True))
    with pytest.raises(PublishError) as caught:
        asyncio.run(publisher.publish(Course().messages))
    assert caught.value.topics == {topics.SAGA_EVENTS}


def test_what_has_results_rests_while_nobody_can_be_told_of_them() -> None:
    messages = Course().messages
    publisher = Telling(Refusing(topics.PURCHASE_RESULT, closed=True))
    with pytest.raises(PublishError) as caught:
        asyncio.run(publisher.publish(messages))
    assert caught.value.topics == {each.topic for each in messages if result_of(each) is not None}


def test_a_result_that_is_refused_for_good_does_not_have_its_message_sent_for_ever() -> None:
    messages = Course().messages
    publisher = Telling(Refusing(topics.PURCHASE_RESULT, for_good=True))
    with pytest.raises(PublishError) as caught:
        asyncio.run(publisher.publish(messages))
    assert {id(each) for each in caught.value.refused} == {id(each) for each in messages if result_of(each) is not None}


def test_what_is_told_stands_before_what_it_comes_of() -> None:
    kept = Refusing("none")
    asyncio.run(Telling(kept).publish(Course().messages))
    places = [each.topic for each in kept.kept]
    assert places.index(topics.PURCHASE_RESULT) < places.index(topics.UPDATE_PRODUCT_INVENTORY)
