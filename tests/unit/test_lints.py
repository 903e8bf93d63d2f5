"""Doubtful spots of a workflow: rules that can never hold, that nothing judges, and names that nothing uses."""

from __future__ import annotations

from typing import Any

import pytest

from sagacity import expect
from sagacity.workflow.checks import check
from sagacity.workflow.model import Capture, EventType, Expectation, Source, Workflow

NEVER = "can never both hold"
WHEREVER = "fail wherever"


def _warnings(*expectations: Expectation, **more: Any) -> list[str]:
    log = Source(format="csv", type="kind", time="at", id="number", keys={"order_id": "order"})
    captured = {"x": Capture("x", "decimal"), "u": Capture("u"), "v": Capture("v")}
    settings: dict[str, Any] = {
        "sources": {"log": log},
        "events": {name: EventType(source="log", capture=captured) for name in "ABC"},
        "unexpected": "forbid",
        "timeout": 1,
        **more,
    }
    workflow = Workflow(name="w", keys=("order_id",), expectations=expectations, **settings)
    problems = check(workflow)
    assert all(problem.severity == "warning" for problem in problems), problems
    return [problem.message for problem in problems]


@pytest.mark.parametrize(
    ("expectations", "message"),
    [
        ([expect.exactly("A", 2), expect.absence("A", 2)], NEVER),
        ([expect.existence("A", 3), expect.exactly("A", 2)], NEVER),
        ([expect.absence("A"), expect.existence("A")], NEVER),
        ([expect.existence("A", when="x > 1"), expect.absence("A")], NEVER),
        ([expect.init("A"), expect.init("B")], NEVER),
        ([expect.end("A"), expect.end("B")], NEVER),
        ([expect.chain_response("A", "B"), expect.chain_response("A", "C")], WHEREVER),
        ([expect.chain_precedence("A", "B"), expect.chain_succession("C", "B")], WHEREVER),
        ([expect.response("A", "B"), expect.not_response("A", "B"), expect.existence("A")], WHEREVER),
        ([expect.not_succession("A", "B"), expect.alternate_response("A", "B", within="1m")], WHEREVER),
        ([expect.precedence("A", "B"), expect.not_co_existence("A", "B")], WHEREVER),
        ([expect.response("A", "B"), expect.existence("A"), expect.absence("B")], "forbids it"),
        ([expect.exclusive_choice("A", "B"), expect.existence("A"), expect.existence("B")], "can never hold, since A and B"),
        ([expect.not_co_existence("A", "B"), expect.existence("A"), expect.existence("B")], "can never hold, since A and B"),
        ([expect.precedence("A", "B"), expect.precedence("B", "A")], "go round in a circle"),
        ([expect.precedence("A", "B"), expect.precedence("B", "C"), expect.succession("C", "A")], "go round in a circle"),
        ([expect.response("A", "B"), expect.response("B", "A")], "go round in a circle"),
        ([expect.response("A", "A")], "the last one has none later"),
        ([expect.precedence("A", "A")], "the first one has none earlier"),
    ],
)
def test_rules_that_can_never_hold_together_are_told_once(expectations: list[Expectation], message: str) -> None:
    warnings = _warnings(*expectations)
    assert len(warnings) == 1, warnings
    assert message in warnings[0]


@pytest.mark.parametrize(
    "expectations",
    [
        [expect.existence("A", 2), expect.absence("A", 3), expect.exactly("A", 2)],
        [expect.absence("A", when="x > 1"), expect.existence("A")],
        [expect.chain_response("A", "B"), expect.chain_response("A", "C", when="x > 1")],
        [expect.response("A", "B"), expect.not_response("A", "B", within="1m")],
        [expect.response("A", "B"), expect.not_response("B", "A")],
        [expect.response("A", "B"), expect.not_response("A", "B", where="a.x = b.x")],
        [expect.precedence("A", "B"), expect.response("A", "B"), expect.response("A", "C"), expect.precedence("B", "C")],
        [expect.precedence("A", "B"), expect.precedence("B", "A", when="x > 1")],
        [expect.response("A", "B"), expect.absence("B")],
        [expect.exclusive_choice("A", "B"), expect.existence("A")],
        [expect.not_co_existence("A", "A")],
        [expect.init("A"), expect.end("B")],
    ],
)
def test_rules_that_can_hold_together_are_left_alone(expectations: list[Expectation]) -> None:
    assert _warnings(*expectations) == []


def test_begins_that_contradicts_init_is_told() -> None:
    assert _warnings(expect.init("A"), begins=("B", "C")) == ["init(A) contradicts begins: the first event is B or C"]
    assert _warnings(expect.init("A"), begins=("B", "A")) == []


def test_a_window_of_nothing_is_told() -> None:
    assert _warnings(expect.response("A", "B", within=0)) == ["within 0 allows events of the very same microsecond only"]


def test_the_same_expectation_twice_is_told_whatever_it_is_called() -> None:
    first, second = expect.response("A", "B", name="one"), expect.response("A", "B", name="two", severity="info")
    assert _warnings(first, second) == ["this expects the same as one"]


@pytest.mark.parametrize(
    "expectation",
    [expect.existence("A"), expect.end("A"), expect.response("A", "B"), expect.co_existence("A", "B"),
     expect.matches("A", "B", by="x"), expect.asserts("count(A) = 1")],
)  # fmt: skip
def test_what_is_never_due_is_told(expectation: Expectation) -> None:
    (warning,) = _warnings(expectation, timeout=None)
    assert warning.startswith("no case ever ends, so these are never due")
    assert _warnings(expectation, ends=("C",), timeout=None) == []


@pytest.mark.parametrize(
    "expectation",
    [expect.absence("A"), expect.response("A", "B", within="1m"), expect.precedence("A", "B"), expect.not_response("A", "B"),
     expect.matches("A", "B", by="x", within="1m"), expect.asserts("count(A) = 1", immediate=True)],
)  # fmt: skip
def test_what_is_due_without_an_end_is_left_alone(expectation: Expectation) -> None:
    assert _warnings(expectation, timeout=None) == []


def test_an_event_type_that_nothing_names_is_told() -> None:
    named = (expect.existence("A"), expect.asserts("count(B) = 1"))
    assert _warnings(*named, unexpected="allow") == ["no expectation names C"]
    assert _warnings(*named, unexpected="allow", ends=("C",)) == []


def test_a_source_that_nothing_is_found_in_is_told() -> None:
    sources = {name: Source(type="kind", time="at", keys={"order_id": "x"}) for name in ("log", "other")}
    assert _warnings(sources=sources) == ["no event type is found in the source other"]


def test_a_comparison_as_text_that_nobody_asked_for_is_told() -> None:
    warning = "a.u and b.v are compared as text, since neither states a type: 10 and 10.0 would differ"
    assert _warnings(expect.response("A", "B", where="a.u = b.v")) == [warning]
    assert _warnings(expect.response("A", "B", where="a.u = 'x'")) == []


def test_messages_without_an_id_are_told() -> None:
    source = Source(format="jsonl", type="type", time="time", keys={"order_id": "x"})
    warning = "A, B, C: messages without an id, so that one delivered twice counts twice"
    assert _warnings(sources={"log": source}) == [warning]


def test_records_that_hold_several_events_need_no_id() -> None:
    source = Source(format="jsonl", keys={"order_id": "x"})
    events = {name: EventType(source="log", time=f"{name}_at") for name in "AB"}
    assert _warnings(sources={"log": source}, events=events) == []


def test_amounts_of_which_one_carries_a_currency_are_told() -> None:
    events = {
        "A": EventType(source="log", capture={"x": Capture("x", "decimal", currency="c")}),
        "B": EventType(source="log", capture={"x": Capture("x", "decimal")}),
    }
    warning = "one of the amounts carries a currency and the other does not"
    assert _warnings(expect.matches("A", "B", by="x", amount="x"), events=events) == [warning]
