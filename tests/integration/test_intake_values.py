"""How values of a record are read: exactly, or not at all."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sagacity.workflow.model import Capture
from taking_in import Outcome, files, instant, messages, order, parquet, take, write

MIDNIGHT = instant("2026-01-01T00:00:00+00:00")
ROW = "SELECT 'Placed' AS type, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS time"


def _captured(tmp_path: Path, capture: Capture, *values: Any) -> tuple[list[Any], Outcome]:
    """What a capture of `amount` reads from JSON values, in order, and what became of them all."""
    lines = [order(id=f"{number:03}", amount=value) for number, value in enumerate(values)]
    outcome = take(messages({"amount": capture}), files(write(tmp_path, "a.jsonl", lines)))
    (name,) = [name for name in outcome.events[0] if name.startswith("amount$")] if outcome.events else ["amount"]
    return outcome.column(name), outcome


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"4.50", "4.5000"),
        (b"0.1", "0.1000"),
        (b"-0.0001", "-0.0001"),
        (b"1E2", "100.0000"),
        (b"15e-1", "1.5000"),
        (b"12345678901234.5678", "12345678901234.5678"),
        (b"99999999999999.9999", "99999999999999.9999"),
        (b"10000000000000.0001", "10000000000000.0001"),
        (b"10000000000000.00", "10000000000000.0000"),
        (b"0.10000000000000001", "0.1000"),
        (b"7.00000000000000000000", "7.0000"),
        ("4.50", "4.5000"),
        (" +4.5 ", "4.5000"),
        (".5", "0.5000"),
        ("5.", "5.0000"),
        ("1.50000000000000000000", "1.5000"),
        ("12345678901234.5678", "12345678901234.5678"),
        (7, "7.0000"),
        (-7, "-7.0000"),
    ],
)
def test_a_decimal_is_read_digit_by_digit(tmp_path: Path, written: Any, read: str) -> None:
    values, outcome = _captured(tmp_path, Capture("amount", "decimal"), written)
    assert outcome.reasons == []
    assert values == [Decimal(read)]


@pytest.mark.parametrize(
    "written",
    [
        b"0.12345",
        b"10000000000000.00001",
        b"1e-5",
        b"1e14",
        b"100000000000000",
        b"1.5e-4",
        "0.12345",
        "1e-5",
        "1,5",
        "1_000",
        "0x10",
        "NaN",
        "inf",
        "1.5.2",
        "--5",
        "1e999",
        b"1e400",
    ],
)
def test_a_decimal_with_more_digits_than_its_type_is_rejected_rather_than_rounded(tmp_path: Path, written: Any) -> None:
    _, outcome = _captured(tmp_path, Capture("amount", "decimal"), written)
    assert (outcome.account.rejected, outcome.account.matched) == (1, 0)
    assert outcome.reasons[0].startswith("amount is ")


@pytest.mark.parametrize(
    "written", [b"1.000000000000000001", b"0.100000000000000005", b"123456789012345678.5", b"0.000000000000000001"]
)
def test_a_wide_decimal_keeps_what_no_float_could(tmp_path: Path, written: bytes) -> None:
    values, _ = _captured(tmp_path, Capture("amount", "decimal", digits=38, scale=18), written)
    assert values == [Decimal(written.decode())]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (5, 5),
        (b"5.0", 5),
        (b"1e3", 1000),
        ("5", 5),
        (" -5 ", -5),
        ("5.00", 5),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (b"9007199254740993.0", 9007199254740993),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_an_integer_is_whole_and_exact(tmp_path: Path, written: Any, read: int) -> None:
    values, _ = _captured(tmp_path, Capture("amount", "integer"), written)
    assert values == [read]


@pytest.mark.parametrize("written", [2**63, -(2**63) - 1, b"5.5", "5.5", "five", True, "0x10", "1_000", b"0.99999999999"])
def test_what_is_no_64_bit_integer_is_rejected(tmp_path: Path, written: Any) -> None:
    _, outcome = _captured(tmp_path, Capture("amount", "integer"), written)
    assert outcome.account.rejected == 1


def test_an_integer_that_overflows_says_what_to_state_instead(tmp_path: Path) -> None:
    _, outcome = _captured(tmp_path, Capture("amount", "integer"), 2**63)
    assert outcome.reasons == [f"amount is '{2**63}': more than 64 bits hold; state its type as decimal(38,0) or text"]


def test_booleans_are_read_from_what_people_write(tmp_path: Path) -> None:
    values, _ = _captured(tmp_path, Capture("amount", "boolean"), True, False, "true", "No", 1, 0, "Y", None, b"null")
    assert values == [True, False, True, False, True, False, True, None, None]
    _, outcome = _captured(tmp_path, Capture("amount", "boolean"), "maybe", 2)
    assert outcome.reasons == ["amount is 'maybe', not a boolean", "amount is '2', not a boolean"]


def test_text_is_what_stands_there(tmp_path: Path) -> None:
    values, _ = _captured(
        tmp_path,
        Capture("amount"),
        "a",
        "",
        b"null",
        None,
        5,
        True,
        {"a": [1]},
        "null",
        ' "q" ',
        "grün\u2028\n",
        b'"\\u0041"',
        "1.0",
    )
    assert values == ["a", None, None, None, "5", "true", '{"a":[1]}', "null", ' "q" ', "grün\u2028\n", "A", "1.0"]


def test_a_number_and_its_text_are_one_key(tmp_path: Path) -> None:
    keys = [123, "123", b"123.0", b"1.23e2", "123.0", b"1.50", b"00"[:1], b"1234567890123456789012"]
    lines = [order(id=f"{number:03}", order_id=key) for number, key in enumerate(keys)]
    outcome = take(messages(), files(write(tmp_path, "a.jsonl", lines)))
    assert outcome.column("case_id") == ["123", "123", "123", "123", "123.0", "1.5", "0", "1234567890123456789012"]


def test_keys_of_any_column_type_are_one_key(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    for kind in (
        "VARCHAR",
        "TINYINT",
        "BIGINT",
        "UBIGINT",
        "HUGEINT",
        "DOUBLE",
        "FLOAT",
        "DECIMAL(9,2)",
        "DECIMAL(38,0)",
        "BLOB",
    ):
        value = "'123'::BLOB" if kind == "BLOB" else f"CAST('123' AS {kind})"
        parquet(path, f"{ROW}, 'e' AS id, {value} AS order_id")
        assert take(messages({}), files(path, format="parquet")).column("case_id") == ["123"], kind


@pytest.mark.parametrize(
    ("column", "capture", "read"),
    [
        ("0.1::DOUBLE", Capture("v", "decimal"), Decimal("0.1000")),
        ("1.1::FLOAT", Capture("v", "decimal"), Decimal("1.1000")),
        ("12345678901234.5::DOUBLE", Capture("v", "decimal"), Decimal("12345678901234.5000")),
        ("1e15::DOUBLE", Capture("v", "decimal", digits=38, scale=2), Decimal("1000000000000000.00")),
        ("12.30::DECIMAL(10,2)", Capture("v", "decimal"), Decimal("12.3000")),
        ("12.300000::DECIMAL(20,6)", Capture("v", "decimal"), Decimal("12.3000")),
        ("5::UTINYINT", Capture("v", "decimal"), Decimal("5.0000")),
        ("'4.50'", Capture("v", "decimal"), Decimal("4.5000")),
        ("5::HUGEINT", Capture("v", "integer"), 5),
        ("5.0::DOUBLE", Capture("v", "integer"), 5),
        ("TRUE", Capture("v", "boolean"), True),
        ("1::TINYINT", Capture("v", "boolean"), True),
        ("TIMESTAMPTZ '2026-01-01 00:00:00Z'", Capture("v", "time"), MIDNIGHT),
        ("TIMESTAMPTZ '2026-01-01 00:00:00Z'", Capture("v"), "2026-01-01T00:00:00.000000Z"),
        ("DATE '2026-01-01'", Capture("v"), "2026-01-01"),
        ("{'a': {'b': [1, 2]}}", Capture("v.a.b[1]", "integer"), 2),
        ("{'a': {'b': [1, 2]}}", Capture("v.a.b[7]", "integer"), None),
        ("{'a': 1}", Capture("v.b", "integer"), None),
        ("{'a': 1}", Capture("v"), '{"a":1}'),
        ("MAP {'k': 2.50}", Capture("v.k", "decimal"), Decimal("2.5000")),
        ("[{'sku': 'x'}]", Capture("v[0].sku"), "x"),
        ('\'{"a": {"b": 12345678901234.5678}}\'', Capture("v.a.b", "decimal"), Decimal("12345678901234.5678")),
        ("'not json'", Capture("v.a.b", "decimal"), None),
        ("'{\"a\": 1.0}'::JSON", Capture("v.a"), "1"),
        ("'x'::BLOB", Capture("v"), "x"),
        ("uuid '00000000-0000-0000-0000-000000000001'", Capture("v"), "00000000-0000-0000-0000-000000000001"),
        ("NULL", Capture("v", "decimal"), None),
    ],
)
def test_columns_of_any_type_are_read_exactly(tmp_path: Path, column: str, capture: Capture, read: Any) -> None:
    path = tmp_path / "a.parquet"
    parquet(path, f"{ROW}, 'e' AS id, '1' AS order_id, {column} AS v")
    outcome = take(messages({"value": capture}), files(path, format="parquet"))
    assert outcome.reasons == []
    (name,) = [name for name in outcome.events[0] if name.startswith("value$")]
    assert outcome.column(name) == [read]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("0.1::DOUBLE + 0.2::DOUBLE", "decimal"),
        ("12.34567::DECIMAL(10,5)", "decimal"),
        ("'nan'::DOUBLE", "decimal"),
        ("1e300::DOUBLE", "decimal"),
        ("TRUE", "decimal"),
        ("DATE '2026-01-01'", "decimal"),
        ("1.5::DOUBLE", "integer"),
        ("9223372036854775808::HUGEINT", "integer"),
        ("2::TINYINT", "boolean"),
        ("[1]", "integer"),
        ("TRUE", "time"),
    ],
)
def test_columns_that_do_not_read_exactly_are_rejected(tmp_path: Path, column: str, kind: Any) -> None:
    path = tmp_path / "a.parquet"
    parquet(path, f"{ROW}, 'e' AS id, '1' AS order_id, {column} AS v")
    outcome = take(messages({"value": Capture("v", kind)}), files(path, format="parquet"))
    assert (outcome.account.rejected, outcome.lines) == (1, [1])
    assert outcome.reasons[0].startswith("value is ")


def test_a_currency_stands_beside_its_amount(tmp_path: Path) -> None:
    captures = {
        "amount": Capture("amount", "decimal", currency="money.currency"),
        "fee": Capture("amount", "decimal", currency="'EUR'"),
    }
    lines = [order(money={"currency": "USD"}), order(id="e2")]
    outcome = take(messages(captures), files(write(tmp_path, "a.jsonl", lines)))
    assert outcome.column("amount$currency") == ["USD", None]
    assert outcome.column("fee$currency") == ["EUR", "EUR"]


@pytest.mark.parametrize(
    ("expression", "capture", "read"),
    [
        ("'#' || order_id", None, "#1"),
        ("CONCAT(order_id, missing, '-', type)", None, "1-Placed"),
        ("order_id || missing", None, None),
        ("amount * 100", "integer", 450),
        ("amount + 0.5 - 1", "decimal", Decimal("4.0000")),
        ("-amount", "decimal", Decimal("-4.5000")),
        ("LOWER(type)", None, "placed"),
        ("UPPER(TRIM('  ' || type))", None, "PLACED"),
        ("SUBSTRING(type, 2, 3)", None, "lac"),
        ("REPLACE(type, 'P', 'p')", None, "placed"),
        ("SPLIT_PART(type, 'a', 2)", None, "ced"),
        ("COALESCE(missing, amount)", "decimal", Decimal("4.5000")),
        ("COALESCE(missing, amount, 'x')", None, "4.50"),
        ("CASE WHEN amount > 4 THEN 'big' ELSE 'small' END", None, "big"),
        ("CASE type WHEN 'Paid' THEN 1 WHEN 'Placed' THEN 2 END", "integer", 2),
        ("amount > 4.49 AND amount < 4.51", "boolean", True),
        ("amount IN (4.5, 5)", "boolean", True),
        ("type LIKE 'Pl%' AND NOT type LIKE 'Pa%'", "boolean", True),
        ("missing IS NULL AND type IS NOT NULL", "boolean", True),
        ("amount BETWEEN 4 AND 5", "boolean", True),
        ("type = 'Placed' OR missing = 'x'", "boolean", True),
        ("missing = 'x'", "boolean", None),
        ("CAST(time AS timestamp) >= '2026-01-01T00:00:00Z'", "boolean", True),
        ("CAST(amount AS decimal(10,2)) * 2", "decimal", Decimal("9.0000")),
        ("CAST(order_id AS integer) + 1", "integer", 2),
        ("CAST(CAST(time AS timestamp) AS text)", None, "2026-01-01T00:00:00.000000Z"),
        ("'EUR'", None, "EUR"),
        ("5", "integer", 5),
        ("TRUE", "boolean", True),
        ("NULL", None, None),
    ],
)
def test_an_expression_over_the_record(tmp_path: Path, expression: str, capture: Any, read: Any) -> None:
    values, outcome = _captured(tmp_path, Capture(expression, capture), "4.50")
    assert outcome.reasons == []
    assert values == [read]


@pytest.mark.parametrize("expression", ["amount * 2", "CAST(amount AS decimal(4,1))", "COALESCE(missing, amount)"])
def test_an_expression_that_cannot_be_computed_is_rejected(tmp_path: Path, expression: str) -> None:
    _, outcome = _captured(tmp_path, Capture(expression, "decimal"), "4.55x")
    assert (outcome.account.rejected, outcome.reasons) == (1, ["amount is '4.55x', not a number"])


def test_a_product_with_no_room_is_rejected_rather_than_lost(tmp_path: Path) -> None:
    _, outcome = _captured(tmp_path, Capture("amount * amount * amount", "decimal"), b"9999999999999")
    assert outcome.account.rejected == 1


def test_paths_lead_into_nested_records_and_names_that_are_not_plain_words(tmp_path: Path) -> None:
    line = order(
        data={"order": {"id": 7}, "items": [{"sku": "a"}, {"sku": "b"}], "odd name": "o", "a.b": "p", "": "q", "Data": "r"}
    )
    captures = {
        "x1": Capture("data.order.id"),
        "x2": Capture("data.items[1].sku"),
        "x3": Capture('data."odd name"'),
        "x4": Capture('data."a.b"'),
        "x5": Capture("data.items"),
        "x6": Capture("data.Data"),
        "x7": Capture("data.data"),
        "x8": Capture("data.order"),
        "x9": Capture("data.items.sku"),
    }
    outcome = take(messages(captures), files(write(tmp_path, "a.jsonl", [line])))
    found = {name[:2]: value for name, value in outcome.events[0].items() if name.startswith("x")}
    assert found == {
        "x1": "7",
        "x2": "b",
        "x3": "o",
        "x4": "p",
        "x5": '[{"sku":"a"},{"sku":"b"}]',
        "x6": "r",
        "x7": None,
        "x8": '{"id":7}',
        "x9": None,
    }


def test_a_wide_decimal_is_found_under_any_name(tmp_path: Path) -> None:
    line = order(data={"a/b~c": 0}).replace(":0}", ":1.000000000000000001}")
    capture = {"amount": Capture('data."a/b~c"', "decimal", digits=38, scale=18)}
    outcome = take(messages(capture), files(write(tmp_path, "a.jsonl", [line])))
    assert outcome.column("amount$decimal_38_18") == [Decimal("1.000000000000000001")]


def test_of_a_field_that_stands_twice_the_first_counts(tmp_path: Path) -> None:
    outcome = take(messages(), files(write(tmp_path, "a.jsonl", [order()[:-1] + ',"order_id":"2"}'])))
    assert outcome.column("case_id") == ["1"]
