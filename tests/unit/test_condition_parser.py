"""Conditions from text: what is admitted, how names resolve, what refusals say."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from sagacity.errors import ConditionError, SagacityError
from sagacity.workflow.conditions.condition import Aggregate, Attribute, Constant, Expression, Operation, text_comparisons
from sagacity.workflow.conditions.parser import parse_assert, parse_when, parse_where
from sagacity.workflow.model import Capture, EventType, Workflow

WORKFLOW = Workflow(
    name="orders",
    events={
        "OrderPlaced": EventType(
            source="s",
            capture={
                "amount": Capture("amount", "decimal", currency="currency"),
                "price": Capture("price", "decimal", digits=9, scale=2),
                "fine": Capture("fine", "decimal", digits=18, scale=10),
                "units": Capture("units", "integer"),
                "country": Capture("country"),
                "note": Capture("note", "text"),
                "paid": Capture("paid", "boolean"),
                "due": Capture("due", "time"),
                "ship-to": Capture("ship_to"),
            },
        ),
        "check ticket": EventType(source="s", capture={"cost": Capture("cost", "decimal"), "city": Capture("city")}),
        "com.example.order.placed": EventType(source="s", capture={"amount": Capture("amount", "decimal")}),
        "a": EventType(source="s", capture={"total": Capture("total", "decimal")}),
        "b": EventType(source="s", capture={"total": Capture("total", "decimal")}),
    },
)
AMOUNT = Attribute("self", "amount", "decimal", currency=True)
FLAG = Attribute("self", "paid", "boolean")


def when(text: str) -> Expression:
    return parse_when(text, WORKFLOW, "OrderPlaced")


def where(text: str) -> Expression:
    return parse_where(text, WORKFLOW, "OrderPlaced", "check ticket")


def case(text: str) -> Expression:
    return parse_assert(text, WORKFLOW)


def refused(text: str, parse: Callable[[str], Expression] = when) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        parse(text)
    return caught.value


def operand(text: str) -> Expression:
    """The left side of a comparison."""
    parsed = when(text)
    assert isinstance(parsed, Operation)
    return parsed.arguments[0]


def test_a_bare_name_and_one_after_its_event_type_mean_the_same() -> None:
    expected = Operation(">", (AMOUNT, Constant(100, "integer")), "boolean")
    assert when("amount > 100") == when("OrderPlaced.amount > 100") == expected


def test_every_event_has_a_time_and_an_id() -> None:
    assert operand("time > '2026-11-01T00:00Z'") == Attribute("self", "time", "time")
    assert operand("id = 'x'") == Attribute("self", "id", "text")


def test_a_pair_is_named_by_place_or_by_event_type() -> None:
    expected = Operation(
        "=", (Attribute("a", "amount", "decimal", currency=True), Attribute("b", "cost", "decimal")), "boolean"
    )
    assert where("a.amount = b.cost") == where('OrderPlaced.amount = "check ticket".cost') == expected


def test_the_places_win_over_event_types_of_their_name() -> None:
    parsed = parse_where("a.total = b.total", WORKFLOW, "b", "a")
    assert isinstance(parsed, Operation)
    assert [argument.place for argument in parsed.arguments if isinstance(argument, Attribute)] == ["a", "b"]
    assert refused("b.amount = 1", where).message == "`check ticket` has no attribute `amount`"


def test_two_events_of_one_type_need_a_and_b() -> None:
    error = refused("OrderPlaced.units = 1", lambda text: parse_where(text, WORKFLOW, "OrderPlaced", "OrderPlaced"))
    assert error.hint == "write a.units or b.units"


def test_an_assert_takes_aggregates_and_an_attribute_means_the_first() -> None:
    assert case("count(OrderPlaced) = 1") == Operation(
        "=", (Aggregate("count", "OrderPlaced", None, "integer"), Constant(1, "integer")), "boolean"
    )
    assert case("OrderPlaced.time = '2026-11-01T00:00Z'") == case("first(OrderPlaced.time) = '2026-11-01T00:00Z'")
    summed = case('sum("check ticket".cost) = max(OrderPlaced.amount)')
    assert isinstance(summed, Operation)
    assert summed.arguments == (
        Aggregate("sum", "check ticket", "cost", "decimal"),
        Aggregate("max", "OrderPlaced", "amount", "decimal", currency=True),
    )


def test_event_types_may_have_points_in_their_names() -> None:
    assert case("count(com.example.order.placed) = 1") == case('count("com.example.order.placed") = 1')
    assert case("com.example.order.placed.amount = 1") == case('first("com.example.order.placed".amount) = 1')


def test_between_and_not_like_are_made_of_simpler_parts() -> None:
    assert when("units BETWEEN 1 AND 3") == when("units >= 1 AND units <= 3")
    assert when("note NOT LIKE 'a%'") == when("NOT note LIKE 'a%'")


def test_literals() -> None:
    def right(text: str) -> Expression:
        parsed = when(text)
        assert isinstance(parsed, Operation)
        return parsed.arguments[1]

    assert right("amount = 1.50") == Constant(Decimal("1.50"), "decimal")
    assert right("units = -3") == Constant(-3, "integer")
    assert right("note = 'it''s'") == Constant("it's", "text")
    assert right("due = TIMESTAMP '1970-01-01T01:00:00.000001+01:00'") == Constant(1, "time")
    assert right("due = '1969-12-31T23:59:59.999999Z'") == Constant(-1, "time")
    hours = {right(f"due - time < INTERVAL {text}") for text in ("'2 hours'", "2 HOUR", "'120' MINUTE", "'0.25' DAY")}
    assert hours == {Constant(7_200_000_000, "duration"), Constant(21_600_000_000, "duration")}
    assert right("due - time < INTERVAL '1 week'") == Constant(604_800_000_000, "duration")


@pytest.mark.parametrize(
    ("text", "kind", "currency"),
    [
        ("units + 1 > 0", "integer", False),
        ("units * price > 0", "decimal", False),
        ("amount * 2 > 0", "decimal", True),
        ("2 - amount > 0", "decimal", True),
        ("-amount > 0", "decimal", True),
        ("COALESCE(amount, 0) > 0", "decimal", True),
        ("LENGTH(note) > 0", "integer", False),
        ("due - time > INTERVAL '1 day'", "duration", False),
        ("due + INTERVAL '1 day' > time", "time", False),
    ],
)
def test_results_are_typed_and_keep_their_currency(text: str, kind: str, currency: bool) -> None:
    result = operand(text)
    assert isinstance(result, Operation)
    assert (result.type, result.currency) == (kind, currency)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("amount / 2 > 1", "division", "multiply the other side"),
        ("units % 2 = 0", "remainder", None),
        ("note IN (SELECT 1)", "sub-queries", None),
        ("EXISTS (SELECT 1)", "sub-queries", None),
        ("amount::int = 1", "casts", "captured"),
        ("CAST(note AS TIMESTAMP) = due", "casts", "captured"),
        ("note ILIKE 'a'", "ILIKE", "LOWER(x)"),
        ("note LIKE 'a' ESCAPE 'b'", "ESCAPE", None),
        ("note LIKE country", "pattern in single quotes", None),
        ("note ~ 'a'", "regular expressions", "LIKE"),
        ("note || 'a' = 'b'", "joined", None),
        ("sqrt(units) = 1", "function sqrt()", "COALESCE"),
        ("due < now()", "when it is given", "2026"),
        ("due < CURRENT_TIMESTAMP", "when it is given", "2026"),
        ("CASE WHEN paid THEN paid END", "CASE", "AND and OR"),
        ("paid IS TRUE", "IS is followed by NULL", "NOT x"),
        ("units IN (1, units)", "IN takes constants", "OR"),
        ("units IN units", "list of constants", None),
        ("units = NULL", "never true", "units IS NULL"),
        ("units <> NULL", "never true", "units IS NOT NULL"),
        ("country = 100", "`country` (text)", "capture `country` `as decimal`"),
        ("country > amount", "`country` (text)", "capture `country` `as decimal`"),
        ("country < due", "`country` (text)", "capture `country` `as time`"),
        ("amount = '100'", "'100' (text)", "without quotes"),
        ("paid = 'true'", "'true' (text)", "TRUE or FALSE"),
        ("paid < TRUE", "no order", None),
        ("due - time > 5", "duration", "INTERVAL '3 days'"),
        ("due - time > '3 days'", "duration", "INTERVAL '3 days'"),
        ("due > '2026-11-01T00:00'", "time zone", "'2026-11-01T00:00Z'"),
        ("due > '2026-11-01'", "time zone", "'2026-11-01T00:00Z'"),
        ("due > 'tomorrow'", "is not a time", "2026"),
        ("due > '2026-11-01T00:00:00.1234567Z'", "finer than a microsecond", None),
        ("due - time > INTERVAL '1 month'", "depends on the calendar", "'30 days'"),
        ("due - time > INTERVAL 1 YEAR", "depends on the calendar", "'30 days'"),
        ("due - time > INTERVAL '1:30'", "not an interval", "one number and one unit"),
        ("due - time > INTERVAL '0.1 microseconds'", "finer than a microsecond", None),
        ("amount * amount > 1", "both amounts of money", "plain number"),
        ("fine * fine > 1", "20 digits after the point", "`scale`"),
        ("units * units * units > 1", "the result could need more than 38 digits", "`digits`"),
        ("units > 1e3", "plain number", None),
        ("units > 0.0000000000000000001", "too many digits", None),
        ("units", "not a condition", "compare"),
        ("country", "not a condition", "as boolean"),
        ("count(OrderPlaced) = 1", "over a case", "`assert`"),
        ("amuont = 1", "no attribute `amuont`", "did you mean `amount`?"),
        ("orderplaced.amount = 1", "no event type `orderplaced`", "did you mean `OrderPlaced`?"),
        ("a.amount = 1", "alone", "`where`"),
        ('country = "NL"', "no attribute `NL`", "'NL', in single quotes"),
        ("ship-to = 'x'", "no attribute `ship`", 'write "ship-to" in double quotes'),
        ("", "empty", None),
        ("-- nothing", "empty", None),
        ("paid; paid", "only one condition", None),
        ("note = 'abc", "not closed", "'single'"),
        ("units = 'a\0'", "NUL", None),
        ("note = '\ud800'", "half a character", None),
        ("(" * 500 + "paid" + ")" * 500, "nested too deep", None),
        ("units" + " + units" * 500 + " > 1", "nested too deep", None),
    ],
)  # fmt: skip
def test_a_refusal_says_why_and_how_to_mend_it(text: str, message: str, hint: str | None) -> None:
    error = refused(text)
    assert message in error.message
    assert hint is None or hint in (error.hint or "")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("count(*) = 1", "count(*)", "count(X)"),
        ("count(DISTINCT OrderPlaced) = 1", "attribute of an event type", None),
        ("sum(OrderPlaced) = 1", "is an event type", "count(X)"),
        ("OrderPlaced = 1", "is an event type", "first(OrderPlaced.time)"),
        ("sum(OrderPlaced.country) = 1", "sum adds numbers", "as decimal"),
        ("sum(OrderPlaced.units + 1) = 1", "attribute of an event type", "sum(X.attr)"),
        ("sum(first(OrderPlaced.units)) = 1", "attribute of an event type", None),
        ("min(OrderPlaced.paid)", "no order", None),
        ("avg(OrderPlaced.units) = 1", "function avg()", None),
        ("sum(OrderPlaced.units) OVER () = 1", "no further clauses", None),
        ("amount = 1", "does not say of which event", "write OrderPlaced.amount"),
        ("count(OrderPlacd) = 1", "no event type `OrderPlacd`", "did you mean `OrderPlaced`?"),
        ("count(check ticket) = 1", "missing", 'write "check ticket" in double quotes'),
    ],
)
def test_an_assert_is_refused_with_a_reason(text: str, message: str, hint: str | None) -> None:
    error = refused(text, case)
    assert message in error.message
    assert hint is None or hint in (error.hint or "")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("amount = 1", "does not say of which event", "write a.amount or b.amount"),
        ("com.example.order.placed.amount = 1", "not one of the two events", "a is OrderPlaced, b is check ticket"),
        ("orderPlaced.amount = 1", "no event type", "did you mean `OrderPlaced`?"),
        ("count(a.units) = 1", "over a case", None),
    ],
)
def test_a_where_is_refused_with_a_reason(text: str, message: str, hint: str | None) -> None:
    error = refused(text, where)
    assert message in error.message
    assert hint is None or hint in (error.hint or "")


@pytest.mark.parametrize(
    ("text", "spot"),
    [
        ("paid AND amuont > 1", "amuont"),
        ("paid AND\n  amuont > 1", "amuont"),
        ("paid AND country > 1", "country"),
        ("paid AND sqrt(units) > 1", "sqrt"),
        ("paid AND units > 1 2", "2"),
        ("paid\n AND units > 1 2", "2"),
        ("paid AND due > '2026'", "due"),
    ],
)
def test_an_error_says_where_in_the_text_it_is(text: str, spot: str) -> None:
    assert refused(text).offset == text.index(spot)


def test_a_condition_error_is_one_of_the_projects_errors() -> None:
    assert isinstance(refused("amount /"), SagacityError)


def test_a_long_chain_of_conditions_is_admitted() -> None:
    parsed = when(" OR ".join(f"units = {n}" for n in range(2_000)))
    assert isinstance(parsed, Operation)
    assert len(parsed.arguments) == 2_000


def test_attributes_that_are_text_by_default_are_reported_where_they_are_compared() -> None:
    parsed = where("NOT a.country = b.city AND a.note = b.city AND a.country = 'x'")
    country, city = Attribute("a", "country", "text", assumed=True), Attribute("b", "city", "text", assumed=True)
    assert text_comparisons(parsed) == ((country, city),)


def test_nothing_but_a_condition_error_comes_of_nonsense() -> None:
    words = (
        "amount ( ) 'x' 1 NOT IN INTERVAL CASE a. :: SELECT LIKE [ { -> ; IS NULL BETWEEN first( TIMESTAMP AND , * ? $1 x'1'"
    )
    texts = [f"{x} {y} {z}" for x in words.split() for y in words.split() for z in words.split()[::5]]
    for text in texts:
        try:
            case(text)
        except ConditionError:
            continue
