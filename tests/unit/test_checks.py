"""Whether a workflow makes sense: errors of workflows built in Python, by the path of the spot."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sagacity import expect
from sagacity.workflow.checks import check
from sagacity.workflow.model import Capture, EventType, Expectation, Matches, Rule, Source, Workflow

SOURCES = {"log": Source(format="csv", type="kind", time="at", id="number", keys={"order_id": "order"})}
EVENTS = {
    "Placed": EventType(
        source="log",
        capture={"amount": Capture("amount", "decimal"), "ref": Capture("ref", "text"), "paid": Capture("x", "boolean")},
    ),
    "Paid": EventType(source="log", capture={"amount": Capture("amount", "decimal"), "ref": Capture("ref", "integer")}),
}


def _workflow(*expectations: Expectation, **more: Any) -> Workflow:
    workflow = Workflow(
        name="order", keys=("order_id",), sources=SOURCES, events=EVENTS, timeout=1, expectations=expectations
    )
    return replace(workflow, **more)


def _errors(workflow: Workflow) -> list[tuple[str, str]]:
    return [(problem.path, problem.message) for problem in check(workflow) if problem.severity == "error"]


def _hints(workflow: Workflow) -> str:
    return "\n".join(problem.hint or "" for problem in check(workflow))


def test_a_sound_workflow_has_no_errors() -> None:
    assert check(_workflow(expect.response("Placed", "Paid", when="amount > 1", where="a.amount = b.amount"))) == ()


@pytest.mark.parametrize(
    ("expectation", "part", "message"),
    [
        (Rule(template="respond", events=("Placed", "Paid")), "template", "there is no template 'respond'"),
        (Rule(template="response", events=("Placed",)), "events", "response takes two event types, and this has 1"),
        (Rule(template="init", events=("Placed", "Paid")), "events", "init takes one event type, and this has 2"),
        (expect.response("Placed", "Payd"), "events[1]", "the event type 'Payd' is not declared"),
        (expect.existence("Placed", 0), "n", "n is 0, and must be at least 1"),
        (Rule(template="init", events=("Placed",), n=2), "n", "init takes no n"),
        (
            Rule(template="init", events=("Placed",), within=1),
            "within",
            "init has no activation that within could count from",
        ),
        (
            Rule(template="choice", events=("Placed", "Paid"), where="a.amount = b.amount"),
            "where",
            "choice has no two events that where could compare",
        ),
        (Rule(template="response", events=("Placed", "Paid"), within=-1), "within", "a window is not negative"),
        (expect.asserts("count(Placed) = 1", name=" "), "name", "the name is empty"),
        (expect.asserts("count(Placed) = 1", severity="bad"), "severity", "there is no severity 'bad'"),  # type: ignore[arg-type]
        (expect.matches("Placed", "Payd", by="ref"), "to", "the event type 'Payd' is not declared"),
        (expect.matches("Placed", "Placed", by="ref"), "to", "from and to are the same event type"),
        (expect.matches("Placed", "Paid", by="nothing"), "by", "Placed captures no attribute 'nothing'"),
        (expect.matches("Placed", "Paid", by="ref"), "by", "'ref' of Placed is text, and 'ref' of Paid is integer"),
        (
            expect.matches("Placed", "Paid", by="amount", amount=("ref", "amount")),
            "amount",
            "'ref' of Placed is text, which has no sum",
        ),
        (
            expect.matches("Placed", "Paid", by="amount", amount="amount", tolerance="a bit"),
            "tolerance",
            "tolerance is 'a bit', and must be a decimal of 0 or more",
        ),
        (
            expect.matches("Placed", "Paid", by="amount", amount="amount", tolerance="-1"),
            "tolerance",
            "tolerance is '-1', and must be a decimal of 0 or more",
        ),
        (
            expect.matches("Placed", "Paid", by="amount", tolerance="0.01"),
            "tolerance",
            "tolerance is about amounts, and none is named",
        ),
        (
            Matches(from_="Placed", to="Paid", by=("amount", "amount"), cardinality="many"),  # type: ignore[arg-type]
            "cardinality",
            "there is no cardinality 'many'",
        ),
        (expect.matches("Placed", "Paid", by="amount", within=0, name=""), "name", "the name is empty"),
    ],
)
def test_an_expectation_that_makes_no_sense_is_an_error(expectation: Expectation, part: str, message: str) -> None:
    assert (f"expectations[0].{part}", message) in _errors(_workflow(expectation))


@pytest.mark.parametrize(
    ("expectation", "part"),
    [
        (expect.response("Placed", "Paid", when="amount >"), "when"),
        (expect.response("Placed", "Paid", when="nothing > 1"), "when"),
        (expect.succession("Placed", "Paid", when="paid"), "when"),
        (expect.response("Placed", "Paid", where="a.nothing = b.ref"), "where"),
        (expect.existence("Placed", when="b.amount > 1"), "when"),
        (expect.asserts("count(Nothing) = 1"), "predicate"),
        (expect.asserts("count(Placed)"), "predicate"),
    ],
)
def test_a_condition_that_does_not_parse_is_an_error(expectation: Expectation, part: str) -> None:
    assert [path for path, _ in _errors(_workflow(expectation))] == [f"expectations[0].{part}"]


def test_within_on_a_count_is_answered_with_response() -> None:
    assert "use response" in _hints(_workflow(Rule(template="existence", events=("Paid",), within=1)))


def test_two_expectations_of_one_name_are_an_error() -> None:
    workflow = _workflow(expect.init("Placed", name="x"), expect.end("Paid", name="x"))
    assert _errors(workflow) == [("expectations[1].name", "another expectation is called 'x' already")]


def _log(**changes: Any) -> dict[str, Source]:
    return {"log": replace(SOURCES["log"], **changes)}


def _placed(**changes: Any) -> dict[str, EventType]:
    return {**EVENTS, "Placed": replace(EVENTS["Placed"], **changes)}


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"name": " "}, "workflow", "the workflow has no name"),
        ({"keys": ()}, "keys", "the workflow has no correlation key"),
        ({"keys": ("order_id", "Order_ID")}, "keys[1]", "the key 'Order_ID' stands here a second time"),
        ({"events": {}}, "events", "the workflow declares no event type"),
        ({"begins": ("Placd",)}, "begins[0]", "the event type 'Placd' is not declared"),
        ({"ends": ("Placed", "X")}, "ends[1]", "the event type 'X' is not declared"),
        ({"timeout": 0}, "timeout", "timeout is zero: every case would end with its first event"),
        ({"sources": _log(timezone="Europe/Berln")}, "sources.log.timezone", "there is no time zone 'Europe/Berln'"),
        ({"sources": _log(timezone="Europe")}, "sources.log.timezone", "there is no time zone 'Europe'"),
        ({"sources": _log(timezone="../etc")}, "sources.log.timezone", "there is no time zone '../etc'"),
        ({"sources": _log(keys={"oder_id": "x"})}, "sources.log.key.oder_id", "the key 'oder_id' is not declared"),
        ({"sources": _log(time=None)}, "events.Placed.time", "nothing says where the time of Placed stands in a record"),
        ({"sources": _log(keys={})}, "events.Placed.key", "nothing says where the key of Placed stands in a record"),
        ({"events": _placed(source="lag")}, "events.Placed.source", "the source 'lag' is not declared"),
        (
            {"events": _placed(capture={"Time": Capture("x")})},
            "events.Placed.capture.Time",
            "an attribute cannot be called 'Time'",
        ),
        (
            {"events": _placed(capture={"a.b": Capture("x")})},
            "events.Placed.capture.a.b",
            "the name of an attribute has '.' in it: 'a.b'",
        ),
        (
            {"events": _placed(capture={"a$b": Capture("x")})},
            "events.Placed.capture.a$b",
            "the name of an attribute has '$' in it: 'a$b'",
        ),
        (
            {"events": _placed(capture={"Amount": Capture("x")})},
            "events.Paid.capture.amount",
            "the attributes 'Amount' and 'amount' differ in case only",
        ),
        (
            {"events": _placed(capture={"sum": Capture("x", "text", currency="'EUR'")})},
            "events.Placed.capture.sum.currency",
            "only an amount has a currency, and sum is text",
        ),
        (
            {"events": _placed(capture={"sum": Capture("x", "decimal", digits=39)})},
            "events.Placed.capture.sum",
            "decimal(39, 4) cannot be kept",
        ),
        (
            {"events": _placed(capture={"sum": Capture("x", "decimal", digits=3, scale=4)})},
            "events.Placed.capture.sum",
            "decimal(3, 4) cannot be kept",
        ),
    ],
)
def test_a_declaration_that_makes_no_sense_is_an_error(changes: dict[str, Any], path: str, message: str) -> None:
    assert (path, message) in _errors(_workflow(**changes))


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"sources": _log(topics=("a", "^orders["))}, "topics[1]", "'^orders[' is no pattern of topics"),
        ({"sources": _log(topics=(" ",))}, "topics[0]", "the name of a topic is empty"),
        ({"sources": _log(redact=("card", "a + b"))}, "redact[1]", "'a + b' is no path"),
        ({"sources": _log(redact=("cards[0].number",))}, "redact[0]", "names one element of an array"),
        (
            {"sources": _log(redact=("pan",)), "events": _placed(capture={"a": Capture("pan.x")})},
            "redact[0]",
            "pan is redacted, and Placed.a reads it",
        ),
        (
            {"sources": _log(redact=("pan",)), "events": _placed(where="pan = 'x'")},
            "redact[0]",
            "pan is redacted, and the where of Placed reads it",
        ),
        (
            {"sources": _log(redact=("me",), keys={"order_id": "me[0]"})},
            "redact[0]",
            "me is redacted, and the key order_id of the source log reads it",
        ),
    ],
)
def test_what_a_source_says_of_live_records_is_checked(changes: dict[str, Any], path: str, message: str) -> None:
    assert [(at, message in told) for at, told in _errors(_workflow(**changes))] == [(f"sources.log.{path}", True)]


def test_what_is_redacted_may_lie_beside_what_is_read_and_within_it() -> None:
    capture = {"card": Capture("data.card.kind"), "all": Capture("data.card")}
    assert (
        _errors(_workflow(sources=_log(redact=("data.card.number", '"data.card.kind"')), events=_placed(capture=capture)))
        == []
    )


@pytest.mark.parametrize("field", ["where", "time", "id", "seq"])
def test_an_expression_over_records_that_does_not_parse_is_an_error(field: str) -> None:
    paths = [path for path, _ in _errors(_workflow(events=_placed(**{field: "a +"})))]
    assert paths == [f"events.Placed.{field}"]
    if field != "where":
        assert f"sources.log.{field}" in [path for path, _ in _errors(_workflow(sources=_log(**{field: "a +"})))]


def test_the_rows_place_is_a_sequence() -> None:
    assert _errors(_workflow(sources=_log(seq="row"))) == []


def test_a_type_needs_a_source_that_says_where_types_stand() -> None:
    workflow = _workflow(sources=_log(type=None), events=_placed(type="placed"))
    assert _errors(workflow) == [("events.Placed.type", "the source of Placed does not say where a record's type stands")]


def test_what_a_format_implies_need_not_be_said() -> None:
    events = {"Placed": EventType(source="log")}
    assert _errors(_workflow(sources={"log": Source(format="xes")}, events=events)) == []
    assert _errors(_workflow(sources={"log": Source(format="jsonl", keys={"order_id": "x"})}, events=events)) == []
    assert _errors(_workflow(sources={"log": Source(path="a/*.xes.gz")}, events=events)) == []


def test_a_key_may_still_come_with_a_source_whose_format_is_not_known() -> None:
    workflow = _workflow(sources={"log": Source(time="at")}, events={"Placed": EventType(source="log")})
    assert [problem.severity for problem in check(workflow) if problem.path == "events.Placed.key"] == ["warning"]
    assert [problem.severity for problem in check(workflow, {"log": "csv"})] == ["error"]
    assert [problem.path for problem in check(workflow, {"log": "xes"}) if "key" in problem.path] == []
