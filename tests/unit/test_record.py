"""Record expressions: what is read from their text, and what is turned down."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagacity.errors import ConditionError
from sagacity.workflow.conditions.record import Call, Constant, Path, kind_of, parse_record, paths


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("id", ("id",)),
        ("data.order.id", ("data", "order", "id")),
        (" data.items[0].sku ", ("data", "items", 0, "sku")),
        ("a[1][2]", ("a", 1, 2)),
        ('"odd name"', ("odd name",)),
        ('attributes."concept:name"', ("attributes", "concept:name")),
        ('"a""b".c', ('a"b', "c")),
        ('"data.order"', ("data.order",)),
        ("@timestamp", ("@timestamp",)),
        ("order.case.from.end", ("order", "case", "from", "end")),
        ("type", ("type",)),
        ("a.b.c.d.e.f.g", ("a", "b", "c", "d", "e", "f", "g")),
    ],
)
def test_a_path_is_a_path_whatever_its_words_mean_in_sql(text: str, steps: tuple[str | int, ...]) -> None:
    assert parse_record(text) == Path(steps)
    assert paths(parse_record(f"{text} = 'x'") if "@" not in text else Path(steps)) == (Path(steps),)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'EUR'", "EUR"),
        ("'it''s'", "it's"),
        ("''", ""),
        ("5", Decimal(5)),
        ("0.10", Decimal("0.10")),
        ("TRUE", True),
        ("false", False),
        ("null", None),
        ("(1)", Decimal(1)),
    ],
)
def test_a_literal_is_a_constant(text: str, value: Any) -> None:
    assert parse_record(text) == Constant(value)
    assert str(parse_record(text).value) == str(value)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "operands"),
    [
        ("amount > 5", "number"),
        ("5 < amount", "number"),
        ("amount + fee = total", "number"),
        ("status = 'paid'", "text"),
        ("status = other", "text"),
        ("paid = TRUE", "boolean"),
        ("status IN ('a', 'b')", "text"),
        ("amount IN (1, 2)", "number"),
        ("CAST(at AS timestamp) < '2026-01-01T00:00Z'", "time"),
        ("amount = NULL", "text"),
    ],
)
def test_what_a_path_stands_beside_says_how_it_is_read(text: str, operands: str) -> None:
    expression = parse_record(text)
    assert isinstance(expression, Call)
    assert (expression.operands, expression.kind) == (operands, "boolean")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a", "any"),
        ("a || b", "text"),
        ("CONCAT(a, 'x')", "text"),
        ("a * 2", "number"),
        ("-a", "number"),
        ("LOWER(a)", "text"),
        ("COALESCE(a, b)", "any"),
        ("COALESCE(a, 0)", "number"),
        ("CASE WHEN a = 'x' THEN b END", "any"),
        ("CASE a WHEN 1 THEN 'x' ELSE 'y' END", "text"),
        ("CAST(a AS decimal(10,2))", "number"),
        ("CAST(a AS text)", "text"),
        ("a::integer", "number"),
        ("CAST(a AS timestamptz)", "time"),
        ("CAST(a AS boolean)", "boolean"),
        ("NOT a", "boolean"),
        ("a AND b OR c", "boolean"),
        ("a BETWEEN 1 AND 2", "boolean"),
        ("a NOT LIKE 'x%'", "boolean"),
        ("a IS NOT NULL", "boolean"),
        ("a NOT IN ('x')", "boolean"),
        ("SUBSTRING(a, 2)", "text"),
        ("SPLIT_PART(a, ':', 1)", "text"),
        ("REPLACE(a, 'x', '')", "text"),
        ("TRIM(UPPER(a))", "text"),
    ],
)
def test_the_kind_of_an_expression(text: str, kind: str) -> None:
    assert kind_of(parse_record(text)) == kind


def test_a_cast_keeps_its_digits() -> None:
    expression = parse_record("CAST(a AS decimal(10, 2))")
    assert isinstance(expression, Call)
    assert expression.to == "decimal(10,2)"


@pytest.mark.parametrize(
    ("text", "message", "hint", "offset"),
    [
        ("", "the expression is empty", None, 0),
        ("  ", "the expression is empty", None, 0),
        ("a +", "`+` is not expected here", None, 2),
        ("a b", "`b` is not expected here", "double quotes", 2),
        ("'x", "a quote is not closed", "'single'", 0),
        ("a; b", "only one expression can stand here", None, 1),
        ("total / 2", "division is not exact", "multiply", 0),
        ("a = 1 AND now() > b", "there is no function now()", "admitted are CONCAT", 10),
        ("(SELECT 1) = a", "sub-queries are not admitted", None, 8),
        ("a IN (SELECT b)", "IN takes a list in parentheses", "'paid'", 0),
        ("a -> 'b'", "json functions are not admitted", "data.order.id", 0),
        ("a ILIKE 'x'", "ILIKE is not admitted", "LOWER", 0),
        ("TRY_CAST(a AS integer)", "TRY_CAST is not admitted", "CAST", 9),
        ("CAST(a AS date)", "CAST to date is not admitted", "timestamp", 5),
        ("CAST(a AS decimal(50, 2))", "decimal(50,2) does not exist", "38", 5),
        ("a IS TRUE", "IS is followed by NULL", "x = TRUE", 0),
        ("1 = 'x'", "a number never compares with text", "CAST", 0),
        ("a > 1 AND 'x'", "AND takes a boolean, not text", "CAST", 0),
        ("NOT 5", "NOT takes a boolean, not a number", "CAST", 4),
        ("LOWER(5)", "LOWER takes text, not a number", "CAST", 0),
        ("'x' + 1", "+ takes a number, not text", "CAST", 0),
        ("SUBSTRING(a, 0)", "SUBSTRING takes whole numbers from 1", None, 10),
        ("SUBSTRING(a, b)", "SUBSTRING takes whole numbers from 1", None, 10),
        ("items[-1]", "positions count from 0", "items[0]", 0),
        ("items[x]", "a position is a whole number", "items[0]", 0),
        ("@timestamp = 'x'", "`@` is an operator here", '"@timestamp"', 1),
        ("COALESCE(a, 1, 'x')", "a number never compares with text", "CAST", 0),
        ("CASE WHEN a = 1 THEN 1 ELSE 'x' END", "a number never compares with text", "CAST", 10),
        ("count(*)", "count() is not admitted", "admitted are", 0),
        ("LTRIM(a)", "TRIM takes one argument", None, 0),
        ("9" * 39, "more than 38 digits", None, 0),
        ("a = 'x' -- comment\n OR", "`OR` is not expected here", None, 20),
        ("\ud800", "half a character", None, 0),
        ("(" * 300 + "a" + ")" * 300, "nested too deep", None, None),
    ],
)
def test_what_is_turned_down_says_why_and_where(text: str, message: str, hint: str | None, offset: int | None) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_record(text)
    assert message in caught.value.message
    assert (hint or "") in (caught.value.hint or "")
    if offset is not None:
        assert caught.value.offset == offset


@given(st.text())
def test_any_text_is_an_expression_or_turned_down(text: str) -> None:
    try:
        expression = parse_record(text)
    except ConditionError as refusal:
        expression = None
        offset = refusal.offset
    assert 0 <= offset <= len(text) if expression is None else isinstance(expression, Path | Constant | Call)


@given(st.lists(st.one_of(st.text(st.characters(codec="utf-8"), min_size=1), st.integers(0, 999)), min_size=1))
def test_a_path_reads_as_it_is_written(steps: list[str | int]) -> None:
    path = Path(("first", *steps))
    assert parse_record(str(path)) == path
