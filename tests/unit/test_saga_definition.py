"""Definitions: what is accepted, what is turned down with every mistake named, and that JSON loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from sagacity.errors import DefinitionError
from sagacity.saga.definition import Effect, Retry, Saga, Step, decode, encode

RESERVE = Step("reserve", "Reserve", "stock", "Release")
ORDER = Step("order", "CreateOrder", "orders", "CancelOrder")
PAY = Step("pay", "Pay", "payments", kind="pivot")
SHIP = Step("ship", "Ship", "shipping", kind="retriable")


def _told(*steps: Step, **settings: object) -> Sequence[str]:
    with pytest.raises(DefinitionError) as caught:
        Saga(**{"name": "purchase", "version": 1, "steps": steps, **settings})  # type: ignore[arg-type]
    return caught.value.problems


def _changed(step: Step, **changes: object) -> Step:
    return msgspec.structs.replace(step, **changes)


def test_steps_follow_one_another_unless_they_say_otherwise() -> None:
    parallel = Saga("p", 1, (RESERVE, _changed(ORDER, after=()), _changed(PAY, after=("reserve", "order")), SHIP))
    assert parallel.before == {"reserve": (), "order": (), "pay": ("reserve", "order"), "ship": ("pay",)}
    assert parallel.following == {"reserve": ("pay",), "order": ("pay",), "pay": ("ship",), "ship": ()}
    assert Saga("p", 1, (RESERVE, ORDER, PAY)).before == {"reserve": (), "order": ("reserve",), "pay": ("order",)}


def test_a_definition_survives_json_to_the_microsecond() -> None:
    step = _changed(
        RESERVE,
        after=(),
        timeout=timedelta(microseconds=1),
        retry=Retry(3, timedelta(microseconds=7), 1.1, timedelta(days=400, microseconds=3), "failure"),
        payload={"b": "input.b", "a": "saga.id"},
        compensation_payload={"of": "replies.reserve.id"},
        effect=Effect(source="stock", key="saga_id", done="true", time="reserved_at"),
    )
    saga = Saga("purchase", 7, (step, PAY), resource=("input.account", "input.shop"), timeout=timedelta(hours=1))
    assert decode(encode(saga)) == saga
    assert encode(decode(encode(saga))) == encode(saga)


def test_a_stored_definition_that_makes_no_sense_is_turned_down() -> None:
    document = encode(Saga("purchase", 1, (RESERVE,))).replace(b'"Release"', b"null")
    with pytest.raises(DefinitionError, match="has no compensation"):
        decode(document)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ((), "it has no steps"),
        ((_changed(RESERVE, compensation=None),), "step 'reserve' is compensatable and has no compensation"),
        ((_changed(PAY, compensation="Refund"),), "step 'pay' is pivot and never undone: leave compensation out"),
        ((RESERVE, RESERVE), "step 'reserve': 2 steps have this name"),
        ((RESERVE, _changed(ORDER, command="Reserve")), "'Reserve' is used twice, by 'reserve' and 'order'"),
        ((RESERVE, _changed(ORDER, compensation="Release")), "'Release' is used twice"),
        ((_changed(RESERVE, compensation="Reserve"),), "'Reserve' is used twice, by 'reserve'"),
        ((_changed(RESERVE, name="re.serve"),), "its name is not one"),
        ((_changed(RESERVE, command=""),), "a command's type is empty"),
        ((_changed(RESERVE, topic=""),), "a topic is empty"),
        ((_changed(RESERVE, timeout=timedelta(0)),), "its timeout is not longer than nothing"),
        ((_changed(RESERVE, retry=Retry(attempts=0)),), "attempts is 0"),
        ((_changed(RESERVE, retry=Retry(factor=0.5)),), "factor is 0.5"),
        ((_changed(RESERVE, retry=Retry(most=timedelta(0))),), "first and most are not in order"),
        ((_changed(RESERVE, after=("reserve",)),), "comes after itself"),
        ((_changed(RESERVE, after=("re_serve",)),), "comes after 're_serve', which is no step"),
        ((_changed(RESERVE, after=("pay",)), ORDER, PAY), "by way of 'reserve' after 'pay' after 'order'"),
        ((PAY, RESERVE), "step 'reserve' is compensatable and does not come before 'pay'"),
        ((RESERVE, _changed(PAY, after=())), "step 'reserve' is compensatable and does not come before 'pay'"),
        ((SHIP, RESERVE), "step 'reserve' is compensatable and does not come before 'ship'"),
        ((RESERVE, PAY, _changed(PAY, name="pay2", command="Pay2")), "step 'pay2' is a second pivot, beside 'pay'"),
        ((RESERVE, SHIP, PAY), "step 'ship' is retriable and does not come after the pivot 'pay'"),
        ((_changed(RESERVE, payload={"x": "inputs.x"}),), "payload: x: 'inputs.x' does not begin with"),
        ((_changed(RESERVE, payload={"x": "replies.order.x"}), ORDER), "'reserve' comes after no other step"),
        ((RESERVE, _changed(ORDER, payload={"x": "replies.order.x"})), "'order' comes after 'reserve'"),
        ((RESERVE, _changed(ORDER, payload={"x": "input..x"})), "has an empty name in it"),
    ],
)
def test_a_mistake_is_named_with_its_step(steps: tuple[Step, ...], told: str) -> None:
    problems = _told(*steps)
    assert [problem for problem in problems if told in problem], problems


def test_all_mistakes_are_told_at_once() -> None:
    problems = _told(_changed(RESERVE, compensation=None), _changed(ORDER, after=("stock",)), name="my saga", version=0)
    assert len(problems) == 4


def test_a_resource_is_looked_for_in_the_input_alone() -> None:
    assert "resource" in _told(RESERVE, resource="replies.reserve.id")[0]


def test_retriable_steps_need_no_pivot() -> None:
    Saga("p", 1, (RESERVE, ORDER, SHIP, _changed(SHIP, name="tell", command="Tell", after=("order",))))


def test_a_step_that_may_use_its_own_reply_is_its_compensation() -> None:
    Saga("p", 1, (_changed(RESERVE, compensation_payload={"reservation": "replies.reserve.id"}),))
