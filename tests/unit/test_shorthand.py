"""The everyday shorthand: each clause, the asserts it makes, and what it says when it does not understand."""

from __future__ import annotations

import pytest

from sagacity import expect
from sagacity.workflow.language.shorthand import ShorthandError, expectations, quoted
from sagacity.workflow.model import Assert, Expectation, Rule

MINUTE = 60_000_000


def _rule(made: tuple[Expectation, ...]) -> tuple[str, tuple[str, ...], int, int | None]:
    (rule,) = made
    assert isinstance(rule, Rule)
    return rule.template, rule.events, rule.n, rule.within


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("once", ("exactly", ("X",), 1, None)),
        ("Once", ("exactly", ("X",), 1, None)),
        ("twice", ("exactly", ("X",), 2, None)),
        ("exactly once", ("exactly", ("X",), 1, None)),
        ("3 times", ("exactly", ("X",), 3, None)),
        ("exactly 3 times", ("exactly", ("X",), 3, None)),
        ("at least once", ("existence", ("X",), 1, None)),
        ("at least 2 times", ("existence", ("X",), 2, None)),
        ("at most once", ("absence", ("X",), 2, None)),
        ("at most twice", ("absence", ("X",), 3, None)),
        ("at most 0 times", ("absence", ("X",), 1, None)),
        ("never", ("absence", ("X",), 1, None)),
        ("within 15m of Y", ("response", ("Y", "X"), 1, 15 * MINUTE)),
        ("within 1h 30m of Y", ("response", ("Y", "X"), 1, 90 * MINUTE)),
        ("within 1.5h of Y", ("response", ("Y", "X"), 1, 90 * MINUTE)),
        ("after Y", ("precedence", ("Y", "X"), 1, None)),
        ("before Y", ("precedence", ("X", "Y"), 1, None)),
        ("directly after Y", ("chain_precedence", ("Y", "X"), 1, None)),
        ("not after Y", ("not_response", ("Y", "X"), 1, None)),
        ('after "order placed"', ("precedence", ("order placed", "X"), 1, None)),
        ("after com.example.order-placed", ("precedence", ("com.example.order-placed", "X"), 1, None)),
    ],
)
def test_a_clause_becomes_a_rule(text: str, rule: tuple[str, tuple[str, ...], int, int | None]) -> None:
    assert _rule(expectations("X", text)) == rule


def test_optional_expects_nothing() -> None:
    assert expectations("X", "optional") == ()


def test_clauses_become_one_expectation_each_with_a_readable_name() -> None:
    made = expectations("Paid", "once, within 15m of Placed, amount = Placed.amount")
    assert [each.name for each in made] == ["Paid once", "Paid within 15m of Placed", "Paid.amount = Placed.amount"]


def _assert(text: str, event: str = "X") -> str:
    found = expectations(event, text)[-1]
    assert isinstance(found, Assert)
    assert found.immediate
    return found.predicate


@pytest.mark.parametrize("bound", ["once", "at most once", "exactly 1 time"])
def test_a_comparison_reads_the_only_event_where_there_is_at_most_one(bound: str) -> None:
    assert _assert(f"{bound}, amount = Y.amount") == "X.amount = Y.amount"
    assert _assert(f"{bound}, amount <> 0") == "X.amount <> 0"


@pytest.mark.parametrize(
    ("text", "predicate"),
    [
        ("amount = Y.amount", "min(X.amount) = Y.amount AND max(X.amount) = Y.amount AND count(X.amount) = count(X)"),
        ("amount <= 10.5", "max(X.amount) <= 10.5 AND count(X.amount) = count(X)"),
        ("amount < Y.amount", "max(X.amount) < Y.amount AND count(X.amount) = count(X)"),
        ("at least once, amount >= -1", "min(X.amount) >= -1 AND count(X.amount) = count(X)"),
        ("twice, amount > 0", "min(X.amount) > 0 AND count(X.amount) = count(X)"),
        ("status == 'it''s ok'", "min(X.status) = 'it''s ok' AND max(X.status) = 'it''s ok' AND count(X.status) = count(X)"),
    ],
)
def test_a_comparison_holds_for_every_event_where_there_may_be_several(text: str, predicate: str) -> None:
    assert _assert(text) == predicate


def test_names_that_are_not_plain_words_are_quoted_in_predicates() -> None:
    made = _assert('once, amount = "order placed".total', 'say "hi"')
    assert made == '"say ""hi""".amount = "order placed".total'
    assert _assert("once, amount = order.placed.total") == 'X.amount = "order.placed".total'
    assert quoted("Order") == '"Order"'
    assert quoted("OrderPlaced") == "OrderPlaced"


@pytest.mark.parametrize(
    ("text", "offset", "part"),
    [
        ("", 0, "a clause is missing"),
        ("once,", 5, "a clause is missing"),
        ("once,, twice", 5, "a clause is missing"),
        ("onec", 0, "did you mean once?"),
        ("once within 3d of Y", 5, "separate clauses with commas"),
        ("after", 5, "name of an event type is missing"),
        ("after Y.", 8, "name is missing after the dot"),
        ("within 15 of Y", 7, "say the unit"),
        ("within 15m", 10, "within says of what"),
        ("at least", 8, "number of times is missing"),
        ("3", 1, "write 3 times"),
        ("0 times", 0, "write never"),
        ("amount <> 3", 7, "say that X comes once"),
        ("amount = total", 9, "Y.attr"),
        ("amount =", 8, "Y.attr"),
        ("X.amount = 3", 0, "write amount alone"),
        ("after 'Y", 6, "not closed"),
        ("once; twice", 0, "understood are"),
        ("with Y", 0, "understood are"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(text: str, offset: int, part: str) -> None:
    with pytest.raises(ShorthandError) as caught:
        expectations("X", text)
    assert caught.value.offset == offset
    assert part in str(caught.value)


def test_the_shorthand_is_at_hand_in_python() -> None:
    assert expect.said("X", "after Y") == expectations("X", "after Y")
