"""Live traffic: the same for the same seed, and its answers are those of the reference judge."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from sagacity.demo.handed_in import SOURCES
from sagacity.demo.live_faults import FAULTS
from sagacity.demo.traffic import SETTLED, WORKFLOW, LiveOrder, Pace, live_orders, messages
from sagacity.judge import Judge
from sagacity.reconcile.watermark import Patience
from sagacity.workflow.language.reader import loads, read
from sagacity.workflow.words.naming import names

START = 1_790_000_000_000_000


@pytest.fixture(scope="module")
def text() -> str:
    return resources.files("sagacity.demo").joinpath(WORKFLOW).read_text(encoding="utf-8")


def _findings(judge: Judge, order: LiveOrder, *, without: str | None = None) -> list[tuple[str, str]]:
    verdict = judge.judge([event for event in order.events if event.type != without], START + order.placed + SETTLED)
    assert verdict.ended
    return sorted((judged.expectation, violation.kind) for judged in verdict.verdicts for violation in judged.violations)


@pytest.mark.parametrize("pace", [Pace(), Pace(seconds=2, seed=1), Pace(seconds=120, per_second=10, seed=2026)], ids=str)
def test_the_judge_finds_what_is_planted_in_each_order_and_nothing_else(text: str, pace: Pace) -> None:
    judge = Judge(loads(text))
    for order in live_orders(pace, START):
        expected = sorted(order.fault.findings) if order.fault else []
        assert _findings(judge, order) == [each for each in expected if each[1] != "resolved"], (order.case, order.fault)


def test_a_message_that_is_held_up_is_missing_until_it_comes(text: str) -> None:
    judge = Judge(loads(text))
    held_up = [order for order in live_orders(Pace(), START) if order.fault and order.fault.held_up]
    assert held_up
    for order in held_up:
        assert order.fault is not None
        ((expectation, outcome),) = order.fault.findings
        assert outcome == "resolved"
        assert _findings(judge, order, without=order.fault.held_up) == [(expectation, "missing")]


def test_the_same_seed_gives_the_same_traffic_and_another_seed_another() -> None:
    def bodies(seed: int) -> list[bytes]:
        pace = Pace(seed=seed)
        return [message.body for message in messages(live_orders(pace, START), pace, START)]

    assert bodies(7) == bodies(7)
    assert bodies(7) != bodies(8)


def test_traffic_is_the_same_whenever_it_starts() -> None:
    pace = Pace()
    first, later = (messages(live_orders(pace, start), pace, start) for start in (START, START + 3_600_000_000))
    assert [(each.at, each.case, each.source) for each in first] == [(each.at, each.case, each.source) for each in later]


@pytest.mark.parametrize("seconds", [1.0, 6.0, 25.0, 60.0])
def test_every_fault_is_planted_and_order_123_is_never_shipped(seconds: float) -> None:
    orders = list(live_orders(Pace(seconds=seconds), START))
    planted = [order.fault for order in orders if order.fault]
    assert {fault.name for fault in planted} == {"never_shipped", *(fault.name for fault in FAULTS)}
    (order,) = [order for order in orders if order.case == "123"]
    assert str(order.events[0].attributes["amount"]) == "4.50"
    assert [event.type for event in order.events] == ["OrderPlaced", "PaymentReceived", "ComplianceCheckDone"]
    assert all(order.placed <= seconds * 1_000_000 for order in orders)


def test_every_message_but_what_is_held_up_comes_within_the_allowed_lateness() -> None:
    pace = Pace(seconds=60)
    orders = list(live_orders(pace, START))
    handed_in = messages(orders, pace, START)
    assert [message.at for message in handed_in] == sorted(message.at for message in handed_in)
    assert {message.source for message in handed_in} == set(SOURCES)
    times = {order.case: [event.time - START for event in order.events] for order in orders}
    latest = {message.case: message.at for message in handed_in}
    assert all(at - times[case][-1] < Patience().lateness for case, at in latest.items())


def test_some_messages_are_passed_by_later_ones_of_their_source() -> None:
    pace = Pace()
    orders = [message for message in messages(live_orders(pace, START), pace, START) if message.source == "orders"]
    times = [json.loads(message.body)["time"] for message in orders]
    assert times != sorted(times)


def test_a_message_that_is_delivered_twice_is_the_same_twice() -> None:
    pace = Pace()
    handed_in = messages(live_orders(pace, START), pace, START)
    bodies = [message.body for message in handed_in if not message.again]
    again = [message.body for message in handed_in if message.again]
    assert again
    assert len(set(bodies)) == len(bodies)
    assert set(again) < set(bodies)


def test_every_fault_names_expectations_of_the_workflow(text: str) -> None:
    known = set(names(loads(text)))
    assert {expectation for fault in FAULTS for expectation, _ in fault.findings} <= known


def test_the_workflow_has_no_problems_and_no_doubtful_spots(text: str) -> None:
    _, problems = read(text, WORKFLOW)
    assert problems == ()
