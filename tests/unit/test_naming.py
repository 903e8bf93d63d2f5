"""Names of expectations, and owners of findings."""

from __future__ import annotations

from sagacity import expect
from sagacity.workflow.model import EventType, Expectation, Workflow
from sagacity.workflow.words.naming import names, owner_of, title


def _workflow(*expectations: Expectation, **more: object) -> Workflow:
    events = {
        "OrderPlaced": EventType(source="s", owner="sales"),
        "PaymentReceived": EventType(source="s", owner="payments"),
        "ItemShipped": EventType(source="s"),
    }
    return Workflow(name="order", owner="fulfilment", events=events, expectations=expectations, **more)  # type: ignore[arg-type]


def test_a_rule_is_called_by_what_it_says() -> None:
    assert title(expect.response("A", "B", within="15m")) == "response(A, B) within 15m"
    assert title(expect.exactly("A", 2, when="x > 1")) == "exactly(2, A) when x > 1"
    assert title(expect.precedence("A", "B", where="a.x\n  = b.x")) == "precedence(A, B) where a.x = b.x"
    assert title(expect.asserts("count(A) = 1", immediate=True)) == "assert always count(A) = 1"


def test_matches_are_called_by_both_sides_and_their_keys() -> None:
    rule = expect.matches("A", "B", by=("x", "y"), cardinality="one_to_many", amount="total", within="3d")
    assert title(rule) == "matches(A, B) by x = y, one to many, amount total within 3d"


def test_the_same_title_twice_is_numbered() -> None:
    rule = expect.response("OrderPlaced", "PaymentReceived")
    workflow = _workflow(rule, rule, rule)
    called = "response(OrderPlaced, PaymentReceived)"
    assert names(workflow) == (called, f"{called} (2)", f"{called} (3)")


def test_a_given_name_is_kept_and_a_title_gives_way_to_it() -> None:
    rule = expect.init("OrderPlaced")
    named = expect.init("OrderPlaced", name="init(OrderPlaced)")
    second = expect.end("OrderPlaced", name="init(OrderPlaced) (2)")
    assert names(_workflow(rule, named, second)) == ("init(OrderPlaced) (3)", "init(OrderPlaced)", "init(OrderPlaced) (2)")


def test_implied_expectations_are_named_too() -> None:
    workflow = _workflow(expect.init("OrderPlaced"), begins=("OrderPlaced",), unexpected="forbid")
    assert names(workflow) == ("init(OrderPlaced)", "begins with OrderPlaced", "no unexpected event")
    assert len(names(workflow)) == len(workflow.audited())


def test_whoever_owns_the_event_that_is_waited_for_owns_the_finding() -> None:
    workflow = _workflow()
    assert owner_of(workflow, expect.response("OrderPlaced", "PaymentReceived")) == "payments"
    assert owner_of(workflow, expect.precedence("OrderPlaced", "PaymentReceived")) == "sales"
    assert owner_of(workflow, expect.existence("PaymentReceived")) == "payments"
    assert owner_of(workflow, expect.matches("OrderPlaced", "PaymentReceived", by="x")) == "payments"


def test_an_owner_of_its_own_goes_first_and_the_workflows_last() -> None:
    workflow = _workflow()
    assert owner_of(workflow, expect.existence("PaymentReceived", owner="me")) == "me"
    assert owner_of(workflow, expect.existence("ItemShipped")) == "fulfilment"
    assert owner_of(workflow, expect.asserts("count(OrderPlaced) = 1")) == "fulfilment"
