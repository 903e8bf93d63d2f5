"""Law: a condition means the same in the reference evaluator and, rendered, in an engine: true, false, or neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Context, Decimal
from functools import cache, partial
from typing import Any, Literal, NamedTuple, cast

import duckdb
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from sqlglot import exp

from sagacity.plan.predicates import render
from sagacity.workflow.conditions import operations
from sagacity.workflow.conditions.condition import (
    Aggregate,
    Attribute,
    Constant,
    Expression,
    Operator,
    Type,
    aggregates,
    attributes,
)
from sagacity.workflow.conditions.evaluate import evaluate
from sagacity.workflow.conditions.refusal import Refusal
from sagacity.workflow.trace import Value

Leaf = Attribute | Aggregate
Row = Mapping[Leaf, tuple[Value, str | None]]

LEAVES: Mapping[Leaf, str] = {
    Attribute("self", "t", "text"): "VARCHAR",
    Attribute("a", "t", "text"): "VARCHAR",
    Attribute("self", "i", "integer"): "BIGINT",
    Attribute("a", "i", "integer"): "BIGINT",
    Attribute("self", "d", "decimal"): "DECIMAL(18,4)",
    Attribute("a", "d", "decimal", digits=9, scale=2): "DECIMAL(9,2)",
    Attribute("b", "d", "decimal", digits=38, scale=10): "DECIMAL(38,10)",
    Attribute("self", "m", "decimal", currency=True): "DECIMAL(18,4)",
    Attribute("a", "m", "decimal", currency=True, digits=10, scale=2): "DECIMAL(10,2)",
    Attribute("b", "m", "integer", currency=True): "BIGINT",
    Attribute("self", "b", "boolean"): "BOOLEAN",
    Attribute("a", "b", "boolean"): "BOOLEAN",
    Attribute("self", "time", "time"): "BIGINT",
    Attribute("a", "time", "time"): "BIGINT",
    Aggregate("count", "X", None, "integer"): "BIGINT",
    Aggregate("sum", "X", "i", "integer"): "HUGEINT",
    Aggregate("sum", "X", "m", "decimal", currency=True): "DECIMAL(38,4)",
    Aggregate("sum", "Y", "m", "decimal", currency=True, digits=10, scale=2): "DECIMAL(38,2)",
    Aggregate("first", "X", "m", "decimal", currency=True): "DECIMAL(18,4)",
}
CURRENCIES = st.sampled_from(["EUR", "USD", None])
ODD = "aAbBzZ %_\\'\u00e9\u00c9e\u0301\u00df\u0130\u03a3\u01c5\t\n\u00a0\u2003\uffee\U0001f1e9\U0001f1ea\u200d\U00010400"
TEXTS = st.text(st.sampled_from(ODD), max_size=6)
WHOLES = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1), st.sampled_from([-(2**63), 2**63 - 1]))
LENGTHS = st.sampled_from([0, 1, 3_600_000_000, 2**62, -(2**62)])


def decimals(digits: int, scale: int) -> st.SearchStrategy[Decimal]:
    limit = 10**digits - 1
    few = st.integers(-300, 300).map(lambda n: n * 10 ** max(scale - 1, 0))
    whole = st.one_of(few, st.integers(-limit, limit), st.sampled_from([-limit, limit]))
    return whole.map(lambda n: Decimal(n).scaleb(-scale, Context(prec=60)))


def values(leaf: Leaf) -> st.SearchStrategy[Value]:
    if isinstance(leaf, Aggregate) and leaf.function == "count":
        return st.integers(0, 5)
    if isinstance(leaf, Aggregate) and leaf.function == "sum":
        if leaf.type == "integer":
            return st.one_of(st.just(0), st.integers(-(2**80), 2**80))
        return st.one_of(st.none(), st.just(Decimal(0)), decimals(leaf.digits + 8, leaf.scale))
    if leaf.type == "decimal":
        return st.one_of(st.none(), decimals(leaf.digits, leaf.scale))
    simple: dict[Type, st.SearchStrategy[Any]] = {"text": TEXTS, "integer": WHOLES, "time": WHOLES, "boolean": st.booleans()}
    return st.one_of(st.none(), simple[leaf.type])


ROWS: st.SearchStrategy[list[Row]] = st.lists(
    st.fixed_dictionaries({leaf: st.tuples(values(leaf), CURRENCIES) for leaf in LEAVES}), min_size=1, max_size=3
)


@cache
def constants(kind: Type) -> st.SearchStrategy[Expression]:
    by_type: dict[Type, st.SearchStrategy[Value]] = {
        "text": TEXTS,
        "integer": st.one_of(st.integers(-3, 3), st.integers(-(10**20), 10**20)),
        "decimal": st.one_of(decimals(4, 1), decimals(20, 18)),
        "boolean": st.booleans(),
        "time": WHOLES,
        "duration": LENGTHS,
    }
    return by_type[kind].map(lambda value: Constant(value, kind))


NULL = Constant(None, "text")


@st.composite
def typed(draw: st.DrawFn, kind: Type, depth: int) -> Expression:
    """An expression of a type: an attribute or constant, or (where depth allows) an operation."""
    leaves = [leaf for leaf in LEAVES if leaf.type == kind]
    choice = draw(st.integers(0, 3 + 3 * depth))
    if choice > 3:
        return draw(operation(draw(st.sampled_from(FORMS[kind])), depth - 1))
    return draw(st.sampled_from(leaves)) if choice and leaves else draw(constants(kind))


@st.composite
def operation(draw: st.DrawFn, form: Form, depth: int) -> Expression:
    """An operation; one that the rules refuse (too many digits) is not drawn."""
    operands: list[Expression] = []
    for kind in form.takes:
        if kind == "pattern":
            operands.append(draw(constants("text")))
        elif kind == "listed":
            operands.append(draw(st.one_of(constants(form.takes[0]), st.just(NULL))))
        else:
            operands.append(draw(typed(kind, depth)))
    try:
        return form.make(*operands)
    except Refusal:
        return reject()


class Form(NamedTuple):
    """A way to make an expression from parts of these types."""

    make: Callable[..., Expression]
    takes: tuple[Type | Literal["pattern", "listed"], ...]


def calculated(operators: str, left: Type, right: Type) -> list[Form]:
    return [Form(partial(operations.arithmetic, cast(Any, operator)), (left, right)) for operator in operators]


def coalesced(*kinds: Type) -> Form:
    return Form(lambda *parts: operations.coalesce(parts), kinds)


KINDS: tuple[Type, ...] = ("text", "integer", "decimal", "boolean", "time", "duration")
ALIKE: tuple[tuple[Type, Type], ...] = (("integer", "decimal"), *((kind, kind) for kind in KINDS))
OPERATORS: tuple[Operator, ...] = ("=", "<>", "<", "<=", ">", ">=")
COMPARISONS = [
    Form(partial(operations.compare, operator), kinds)
    for kinds in ALIKE
    for operator in OPERATORS
    if kinds[0] != "boolean" or operator in ("=", "<>")
]
FORMS: dict[Type, list[Form]] = {
    "text": [
        *(Form(partial(operations.spelling, cast(Any, name)), ("text",)) for name in ("lower", "upper", "trim")),
        coalesced("text", "text"),
    ],
    "integer": [
        *calculated("+-*", "integer", "integer"),
        Form(operations.negate, ("integer",)),
        Form(operations.size, ("integer",)),
        Form(operations.length, ("text",)),
        coalesced("integer", "integer"),
    ],
    "decimal": [
        *calculated("+-*", "decimal", "decimal"),
        *calculated("+-*", "integer", "decimal"),
        Form(operations.negate, ("decimal",)),
        Form(operations.size, ("decimal",)),
        coalesced("decimal", "decimal"),
        coalesced("decimal", "integer", "decimal"),
    ],
    "boolean": [
        *COMPARISONS,
        *(Form(lambda value, *listed: operations.member(value, listed), (kind, "listed", "listed")) for kind in KINDS),
        *(Form(operations.is_null, (kind,)) for kind in KINDS),
        *[Form(lambda *parts: operations.all_of(parts), ("boolean",) * 3)] * 8,
        *[Form(lambda *parts: operations.any_of(parts), ("boolean",) * 3)] * 8,
        *[Form(operations.inverse, ("boolean",))] * 8,
        *[Form(operations.like, ("text", "pattern"))] * 4,
        coalesced("boolean", "boolean"),
    ],
    "time": [*calculated("+-", "time", "duration"), *calculated("+", "duration", "time"), coalesced("time", "time")],
    "duration": [
        *calculated("-", "time", "time"),
        *calculated("+-", "duration", "duration"),
        *calculated("*", "duration", "integer"),
        *calculated("*", "decimal", "duration"),
        Form(operations.negate, ("duration",)),
        Form(operations.size, ("duration",)),
        coalesced("duration", "duration"),
    ],
}
SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    columns = ", ".join(f"v{n} {kind}, c{n} VARCHAR" for n, kind in enumerate(LEAVES.values()))
    connection.execute(f"CREATE TABLE facts (row_number INTEGER, {columns})")
    return connection


NUMBERS = {leaf: number for number, leaf in enumerate(LEAVES)}


def columns(leaf: Leaf) -> tuple[exp.Expr, exp.Expr | None]:
    number = NUMBERS[leaf]
    return exp.column(f"v{number}"), exp.column(f"c{number}") if leaf.currency else None


def written_of(value: Value, currency: str | None) -> tuple[str | None, str | None]:
    return (None if value is None else str(value)), currency


def write(engine: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    engine.execute("TRUNCATE facts")
    written = [(number, *(part for leaf in LEAVES for part in written_of(*row[leaf]))) for number, row in enumerate(rows)]
    one = f"({', '.join('?' * len(written[0]))})"
    engine.execute(f"INSERT INTO facts VALUES {', '.join([one] * len(rows))}", [part for row in written for part in row])


def answers(engine: duckdb.DuckDBPyConnection, expression: Expression, rows: list[Row]) -> list[bool | None]:
    write(engine, rows)
    query = exp.select(render(expression, columns)).from_("facts").order_by("row_number")
    return [answer for (answer,) in engine.execute(query.sql("duckdb")).fetchall()]


def differences(engine: duckdb.DuckDBPyConnection, expression: Expression, rows: list[Row]) -> list[Any]:
    leaves: list[Leaf] = [*attributes(expression), *aggregates(expression)]
    judged = [(evaluate(expression, row.__getitem__), {leaf: row[leaf] for leaf in leaves}) for row in rows]
    return [
        (answer, *found)
        for answer, found in zip(answers(engine, expression, rows), judged, strict=True)
        if answer is not found[0]
    ]


@settings(SETTINGS, max_examples=120)
@given(expression=typed("boolean", 3), rows=ROWS)
def test_a_condition_means_the_same_in_the_engine(
    engine: duckdb.DuckDBPyConnection, expression: Expression, rows: list[Row]
) -> None:
    assert differences(engine, expression, rows) == []


@settings(SETTINGS, max_examples=120)
@given(expression=st.sampled_from(COMPARISONS).flatmap(lambda form: operation(form, 2)), rows=ROWS)
def test_a_comparison_means_the_same_in_the_engine(
    engine: duckdb.DuckDBPyConnection, expression: Expression, rows: list[Row]
) -> None:
    assert differences(engine, expression, rows) == []


@pytest.mark.parametrize(
    "make",
    [operations.length, *(partial(operations.spelling, cast(Any, name)) for name in ("lower", "upper", "trim"))],
    ids=["length", "lower", "upper", "trim"],
)
def test_every_character_is_read_alike(engine: duckdb.DuckDBPyConnection, make: Callable[[Expression], Expression]) -> None:
    leaf = Attribute("self", "t", "text")
    characters = [chr(n) for n in [*range(1, 0xD800), *range(0xE000, 0x12000), *range(0x1F000, 0x1FA00)]]
    texts = [
        *characters,
        *(f" {character}aZ" for character in characters[:0x3000]),
        "e\u0301",
        "\U0001f1e9\U0001f1ea",
        "a\0B ",
    ]
    value = render(make(leaf), lambda _: (exp.column("text"), None)).sql("duckdb")
    found = engine.execute(f"SELECT {value} FROM (SELECT unnest(?) AS text)", [texts]).fetchall()
    judged = [(evaluate(make(leaf), lambda _, text=text: (text, None)),) for text in texts]  # type: ignore[misc]
    assert found == judged


def extremes(leaf: Leaf) -> Value:
    """The value furthest from zero that the leaf can have."""
    most = -(10**leaf.digits - 1) if leaf.type == "decimal" else -(2**63)
    if isinstance(leaf, Aggregate) and leaf.function == "sum":
        most *= 10**9
    return Decimal(most).scaleb(-leaf.scale, Context(prec=60)) if leaf.type == "decimal" else most


def test_numbers_at_their_limits_do_not_overflow_the_engine(engine: duckdb.DuckDBPyConnection) -> None:
    measures = [leaf for leaf in LEAVES if leaf.type in ("integer", "decimal", "time")]
    row = {leaf: (extremes(leaf) if leaf in measures else None, "EUR") for leaf in LEAVES}
    expressions = []
    for left in measures:
        for make in (operations.negate, operations.size):
            with suppress(Refusal):
                expressions.append(operations.compare("<", make(left), Constant(0, "integer")))
        for right in measures:
            for operator in ("+", "-", "*"):
                with suppress(Refusal):
                    sides = operations.arithmetic(operator, left, right), operations.arithmetic(operator, right, left)
                    expressions.append(operations.compare("<=", *sides))
    assert len(expressions) > 200
    write(engine, [row])
    query = exp.select(*(render(expression, columns) for expression in expressions)).from_("facts")
    assert engine.execute(query.sql("duckdb")).fetchone() == tuple(
        evaluate(expression, row.__getitem__) for expression in expressions
    )
