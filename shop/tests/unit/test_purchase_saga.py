"""The saga `purchase`, told as a story: what each participant is sent, and what is undone."""

from __future__ import annotations

import msgspec
import pytest

from sagacity.messaging.kafka.settings import consumer_settings, producer_settings
from sagacity.testing.prose import given
from shop.contracts import commands, topics
from shop.orchestrator.definition import PURCHASE

INPUT = {"purchase_id": "7", "customer_id": "3", "currency": "USD", "items": [{"product_id": "11", "quantity": 4}]}
ITEMS = [{"product_id": "11", "quantity": 4, "price": 450}]
RESERVED = {"purchase_id": "7", "items": ITEMS, "amount": 1800, "currency": "USD"}
ORDERED = {"purchase_id": "7", "order_id": "21"}


def test_a_purchase_takes_stock_writes_the_order_and_takes_the_payment() -> None:
    (
        given(PURCHASE)
        .started(INPUT)
        .expect_command("UPDATE_PRODUCT_INVENTORY", currency="USD", items=INPUT["items"])
        .reply_success(RESERVED)
        .expect_command("CREATE_ORDER", customer_id="3", items=ITEMS, amount=1800, currency="USD")
        .reply_success(ORDERED)
        .expect_command("CREATE_PAYMENT", customer_id="3", order_id="21", amount=1800, currency="USD")
        .reply_success({"purchase_id": "7", "payment_id": "31"})
        .expect_outcome("completed")
    )


def test_a_declined_payment_undoes_order_and_stock_in_this_order_and_not_the_step_that_failed() -> None:
    """Defect 3: compensations were sent all at once, that of the failed step included."""
    (
        given(PURCHASE)
        .started(INPUT)
        .expect_command("UPDATE_PRODUCT_INVENTORY")
        .reply_success(RESERVED)
        .expect_command("CREATE_ORDER")
        .reply_success(ORDERED)
        .expect_command("CREATE_PAYMENT")
        .reply_failure("the payment is declined")
        .expect_compensation("CREATE_ORDER")
        .reply_success()
        .expect_compensation("UPDATE_PRODUCT_INVENTORY")
        .reply_success()
        .expect_outcome("compensated")
    )


@pytest.mark.parametrize("step", PURCHASE.steps, ids=lambda step: step.name)
def test_every_rollback_carries_what_its_handler_reads(step: object) -> None:
    """Defect 1: the rollback message lacked what the handler dereferenced, and crashed it."""
    found = next(each for each in PURCHASE.steps if each is step)
    assert found.compensation is not None
    assert found.compensation_payload is not None
    kind = getattr(commands, found.compensation)
    told = {field.name for field in msgspec.structs.fields(kind)}
    assert told == set(found.compensation_payload)


def test_commands_and_topics_are_those_of_the_contract() -> None:
    """Each step has a topic for its command and one for its rollback, and each payload has the fields of its struct."""
    assert [step.name for step in PURCHASE.steps] == list(commands.STEPS)
    for step in PURCHASE.steps:
        assert {step.topic, step.compensation_topic} <= set(topics.ALL)
        assert step.topic != step.compensation_topic
        fields = {field.name for field in msgspec.structs.fields(getattr(commands, step.command))}
        assert step.payload is not None
        assert set(step.payload) == fields
    assert PURCHASE.replies_topic == topics.REPLY


def test_a_lost_reply_leaves_no_purchase_stuck() -> None:
    """Defect 2: a lost reply left a saga stuck for ever. Here the command is sent again, with the same id,
    and in the end the purchase turns back: what may have been done is undone, too."""
    story = given(PURCHASE).started(INPUT).expect_command("UPDATE_PRODUCT_INVENTORY").reply_success(RESERVED)
    for _ in range(PURCHASE.by_name["CREATE_ORDER"].retry_of("do").attempts):
        story = story.expect_command("CREATE_ORDER").when_due()
    (
        story.expect_compensation("CREATE_ORDER")
        .reply_success()
        .expect_compensation("UPDATE_PRODUCT_INVENTORY")
        .when_due()
        .expect_compensation("UPDATE_PRODUCT_INVENTORY")
        .reply_success()
        .expect_outcome("compensated")
    )


def test_no_message_waits_for_others_to_go_or_come_with() -> None:
    """Defect 15: about 13 seconds for an idle purchase, since each publish waited out a batch timer."""
    assert producer_settings("127.0.0.1:9092", {}, 30.0)["linger.ms"] == 0
    assert consumer_settings("127.0.0.1:9092", "group", {}).get("fetch.min.bytes", 1) == 1
