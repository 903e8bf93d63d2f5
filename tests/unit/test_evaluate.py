"""What conditions say of values: three-valued logic, exact numbers, text by code points, money."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sagacity.workflow.conditions.condition import Aggregate, Attribute
from sagacity.workflow.conditions.evaluate import evaluate, is_true
from sagacity.workflow.conditions.parser import parse_assert, parse_when, parse_where
from sagacity.workflow.model import Capture, EventType, Workflow
from sagacity.workflow.trace import Value

CAPTURE = {
    "text": Capture("t", "text"),
    "whole": Capture("w", "integer"),
    "price": Capture("p", "decimal"),
    "flag": Capture("f", "boolean"),
    "due": Capture("d", "time"),
    "amount": Capture("a", "decimal", currency="c"),
}
WORKFLOW = Workflow(
    name="orders",
    events={"Placed": EventType(source="s", capture=CAPTURE), "Refunded": EventType(source="s", capture=CAPTURE)},
)
HOUR = 3_600_000_000


def said(condition: str, /, **values: Value) -> Value:
    """What a condition on one event says of these attributes; those not given are absent."""
    return evaluate(
        parse_when(condition, WORKFLOW, "Placed"), lambda node: (values.get(str(getattr(node, "name", ""))), "EUR")
    )


def compared(text: str, a: tuple[Value, str | None], b: tuple[Value, str | None]) -> Value:
    """What a condition on two amounts says."""

    def lookup(node: Attribute | Aggregate) -> tuple[Value, str | None]:
        return a if isinstance(node, Attribute) and node.place == "a" else b

    return evaluate(parse_where(text, WORKFLOW, "Placed", "Refunded"), lookup)


@pytest.mark.parametrize(
    ("text", "true_false_absent"),
    [
        ("NOT flag", (False, True, None)),
        ("flag AND TRUE", (True, False, None)),
        ("flag AND FALSE", (False, False, False)),
        ("flag AND NULL", (None, False, None)),
        ("flag OR TRUE", (True, True, True)),
        ("flag OR FALSE", (True, False, None)),
        ("flag OR NULL", (True, None, None)),
        ("flag = TRUE", (True, False, None)),
        ("flag <> TRUE", (False, True, None)),
        ("flag IS NULL", (False, False, True)),
        ("flag IS NOT NULL", (True, True, False)),
        ("COALESCE(flag, FALSE)", (True, False, False)),
    ],
)
def test_logic_is_three_valued(text: str, true_false_absent: tuple[Value, ...]) -> None:
    assert tuple(said(text, flag=flag) for flag in (True, False, None)) == true_false_absent


def test_only_what_is_true_counts() -> None:
    condition = parse_when("flag", WORKFLOW, "Placed")
    assert is_true(condition, lambda _: (True, None))
    assert not is_true(condition, lambda _: (False, None))
    assert not is_true(condition, lambda _: (None, None))


@pytest.mark.parametrize(
    "text", ["whole = 1", "whole <> 1", "NOT whole = 1", "whole IN (1)", "whole NOT IN (1)", "whole + 1 > 0"]
)
def test_an_absent_value_makes_a_comparison_neither_true_nor_false(text: str) -> None:
    assert said(text, whole=None) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("whole IN (1, 2)", True),
        ("whole IN (2, 3)", False),
        ("whole IN (1, NULL)", True),
        ("whole IN (2, NULL)", None),
        ("whole NOT IN (2, NULL)", None),
        ("whole NOT IN (1, NULL)", False),
        ("whole IN (1.0, 2.5)", True),
        ("whole BETWEEN 1 AND 1", True),
        ("whole NOT BETWEEN 2 AND 3", True),
    ],
)
def test_lists_and_ranges(text: str, answer: Value) -> None:
    assert said(text, whole=1) is answer


@pytest.mark.parametrize(
    ("text", "pattern", "answer"),
    [
        ("abc", "abc", True),
        ("abc", "ab", False),
        ("abc", "a%", True),
        ("abc", "%c", True),
        ("abc", "a_c", True),
        ("abc", "____", False),
        ("", "%", True),
        ("", "_", False),
        ("a\nb", "a%b", True),
        ("a.c", "a.c", True),
        ("abc", "a.c", False),
        ("aab", "%ab", True),
        ("abab", "a%ab%b", False),
        ("a\\b", "a\\_", True),
        ("\u00e9", "_", True),
        ("e\u0301", "_", False),
        ("A", "a", False),
    ],
)
def test_like(text: str, pattern: str, answer: bool) -> None:
    assert said(f"text LIKE '{pattern}'", text=text) is answer


def test_a_pattern_of_many_wildcards_is_settled_at_once() -> None:
    assert said(f"text LIKE '{'%a' * 30}%b'", text="a" * 2_000) is False


@pytest.mark.parametrize(
    ("text", "value", "answer"),
    [
        ("LOWER(text) = 'a\u00c9z'", "A\u00c9Z", True),
        ("UPPER(text) = 'STRA\u00dfE'", "stra\u00dfe", True),
        ("TRIM(text) = 'a b'", "  a b ", True),
        ("TRIM(text) = 'a'", "a\t", False),
        ("LENGTH(text) = 2", "e\u0301", True),
        ("LENGTH(text) = 1", "\U0001f600", True),
        ("text > '\uffee'", "\U0001f600", True),
        ("text < 'a'", "Z", True),
    ],
)
def test_text_is_read_by_code_points_and_only_ascii_letters_change(text: str, value: str, answer: bool) -> None:
    assert said(text, text=value) is answer


def test_numbers_are_exact() -> None:
    assert said("price + 0.1 = 0.3", price=Decimal("0.2")) is True
    assert said("price * 3 = 99999999999999.9999 * 3", price=Decimal("99999999999999.9999")) is True
    assert said("whole * whole = 85070591730234615847396907784232501249", whole=2**63 - 1) is True
    assert said("-whole = 9223372036854775808 AND ABS(whole) = -whole", whole=-(2**63)) is True
    assert said("whole = 1.0", whole=1) is True


def test_times_and_durations_count_microseconds() -> None:
    due = 1_793_491_200_000_000
    assert said("due = '2026-11-01T00:00Z'", due=due) is True
    assert said("due - '2026-11-01T00:00+01:00' = INTERVAL '1 hour'", due=due) is True
    assert said("due - time <= INTERVAL 1 HOUR * 2", due=due, time=due - 2 * HOUR) is True
    assert said("due - time < INTERVAL 1 HOUR * 1.5", due=due, time=due - 2 * HOUR) is False
    assert said("due + INTERVAL 1 DAY > time", due=2**63 - 1, time=2**63 - 1) is True


EUR, USD = (Decimal(5), "EUR"), (Decimal(5), "USD")


@pytest.mark.parametrize(
    "text", ["a.amount = b.amount", "a.amount <> b.amount", "NOT a.amount = b.amount", "a.amount + b.amount > 0"]
)
def test_amounts_in_different_currencies_neither_agree_nor_differ(text: str) -> None:
    assert compared(text, EUR, USD) is None
    assert compared(text, EUR, (Decimal(5), None)) is None
    assert compared(text, (Decimal(5), None), (Decimal(5), None)) is None


def test_amounts_in_one_currency_compare() -> None:
    assert compared("a.amount = b.amount", EUR, EUR) is True
    assert compared("a.amount + b.amount = 2 * a.amount", EUR, EUR) is True
    assert compared("a.amount + b.amount = 10", EUR, EUR) is True


def test_arithmetic_with_a_plain_number_keeps_the_currency() -> None:
    assert compared("a.amount * 2 - 5 = b.amount", EUR, EUR) is True
    assert compared("a.amount * 2 - 5 = b.amount", EUR, USD) is None
    assert compared("-ABS(a.amount) = -b.amount", EUR, USD) is None


def test_an_amount_compares_with_a_plain_number_whatever_its_currency() -> None:
    assert compared("a.amount = 5 AND a.amount IN (5, 6)", USD, EUR) is True
    assert compared("a.amount = b.price", USD, EUR) is True


def test_comparisons_of_amounts_carry_no_currency_themselves() -> None:
    assert compared("(a.amount = 5) = (b.amount = 5)", USD, EUR) is True


def test_a_plain_number_in_the_place_of_an_absent_amount_stays_plain() -> None:
    assert compared("COALESCE(a.amount, 0) < b.amount", (None, None), EUR) is True
    assert compared("COALESCE(a.amount, 0) < b.amount", (Decimal(1), "USD"), EUR) is None


@pytest.mark.parametrize(
    ("refunded", "answer"),
    [((Decimal(0), None), True), ((Decimal(5), "EUR"), True), ((Decimal(0), "USD"), None), ((None, None), None)],
)
def test_a_sum_over_no_event_is_zero_in_every_currency(refunded: tuple[Any, str | None], answer: Value) -> None:
    predicate = parse_assert("sum(Refunded.amount) <= sum(Placed.amount)", WORKFLOW)

    def lookup(node: Attribute | Aggregate) -> tuple[Value, str | None]:
        return refunded if isinstance(node, Aggregate) and node.event == "Refunded" else EUR

    assert evaluate(predicate, lookup) is answer
