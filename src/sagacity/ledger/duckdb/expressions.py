"""Record expressions as SQL over the fields of one part of a source."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from sagacity.ledger.duckdb.fields import Field, literal
from sagacity.ledger.duckdb.readings import read_boolean, read_decimal, read_instant, read_integer, read_text
from sagacity.workflow.conditions.record import Call, Constant, Kind, Path, RecordExpression, kind_of, paths

__all__ = ["Reading", "Value", "value"]

_NUMBER = (38, 9)
"""How numbers are read where an expression compares or calculates: two of them can be multiplied without rounding."""

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


class Reading(msgspec.Struct, frozen=True):
    """What a value is wanted as: `text`, `integer`, `decimal(p,s)`, `boolean` or `time`."""

    to: str
    zone: str | None = None


class Value(msgspec.Struct, frozen=True):
    """A value of a record as SQL: NULL where it is absent or does not read.

    `there` is SQL that is true where something is there, empty where what is there always reads; `shown` the SQL of what
    is there, as text.
    """

    sql: str
    there: str
    shown: str
    expression: RecordExpression

    def unread(self, computed: str) -> str | None:
        """SQL that is true where something is there that does not read, given the SQL of the value as computed."""
        return f"({self.there} AND {computed} IS NULL)" if self.there else None


def value(expression: RecordExpression, fields: Mapping[Path, Field], reading: Reading) -> Value:
    """An expression as a value of the wanted kind."""
    renderer = _Renderer(fields, reading.zone)
    sql = renderer.render(expression, reading.to)
    found = [fields[path] for path in paths(expression)]
    shown = " || ' ' || ".join(f"coalesce({_as_it_stands(field)}, '')" for field in found) or "''"
    certain = reading.to == "text" and not _can_fail(expression)
    if certain or not found:
        there = ""
    elif _total(expression):
        there = " AND ".join(field.present for field in found)
    else:
        there = Field(renderer.render(expression, _plainest(expression)), "other").present
    return Value(sql, there, shown, expression)


def _as_it_stands(field: Field) -> str:
    if field.form != "json":
        return read_text(field)
    number = f"json_type({field.document}, {literal(field.place)}) = 'DOUBLE'"
    return f"CASE WHEN {number} THEN read_exact({field.document}, {literal(field.place)}) ELSE {field.sql} END"


def _can_fail(expression: RecordExpression) -> bool:
    """Whether what is there may still not read as text: only calculations and casts within can fail."""
    if not isinstance(expression, Call):
        return False
    return expression.function in ("+", "-", "*", "negate", "cast") or any(map(_can_fail, expression.arguments))


def _total(expression: RecordExpression) -> bool:
    """Whether the expression has a value whenever all that it names has one."""
    if isinstance(expression, Constant):
        return expression.value is not None
    if isinstance(expression, Path):
        return True
    return expression.function not in ("case", "coalesce", "is_null") and all(map(_total, expression.arguments))


def _plainest(expression: RecordExpression) -> str:
    return {"number": "decimal(38,9)", "boolean": "boolean", "time": "time"}.get(kind_of(expression), "text")


class _Renderer:
    def __init__(self, fields: Mapping[Path, Field], zone: str | None) -> None:
        self.fields = fields
        self.zone = zone

    def render(self, expression: RecordExpression, to: str) -> str:
        """SQL that yields the expression's value as `to`."""
        match expression:
            case Path():
                return self.read(self.fields[expression], to)
            case Constant():
                return self.constant(expression, to)
            case Call(function="coalesce" | "case", kind="any"):
                return self.call(expression, to)
        own = _OWN[expression.kind]
        if expression.function == "cast":
            assert expression.to is not None
            cast = self.render(expression.arguments[0], expression.to)
            return cast if expression.to == to else self.read(_as_field(cast, expression.to), to)
        sql = self.call(expression, own)
        return sql if own == to else self.read(_as_field(sql, own), to)

    def read(self, field: Field, to: str) -> str:
        if found := _DECIMAL.fullmatch(to):
            return read_decimal(field, int(found[1]), int(found[2]))
        return _READ[to](field, self.zone)

    def constant(self, constant: Constant, to: str) -> str:
        match constant.value:
            case None:
                return f"CAST(NULL AS {_SQL_TYPES.get(to, to)})"
            case bool():
                return (
                    self.read(Field("TRUE" if constant.value else "FALSE", "boolean"), to)
                    if to != "boolean"
                    else str(constant.value).upper()
                )
            case Decimal():
                digits, scale = _size(constant.value)
                field = Field(
                    f"CAST('{constant.value:f}' AS DECIMAL({digits},{scale}))", "decimal", digits=digits, scale=scale
                )
                return field.sql if to == "number" else self.read(field, to)
        return literal(constant.value) if to == "text" else self.read(Field(literal(constant.value), "text"), to)

    def call(self, call: Call, own: str) -> str:
        """An operator or function; `own` is what it yields, or for `case` and `coalesce` is asked to yield."""
        arguments = call.arguments
        if call.function == "case":
            return self.case(arguments, own)
        if call.function == "is_null":
            return f"({self.render(arguments[0], _plainest(arguments[0]))} IS NULL)"
        wanted = own if call.function == "coalesce" else _OWN[call.operands]
        return _CALLS[call.function]([self.operand(argument, wanted) for argument in arguments])

    def operand(self, argument: RecordExpression, wanted: str) -> str:
        if isinstance(argument, Constant) and isinstance(argument.value, Decimal) and wanted in ("text", _OWN["number"]):
            return f"{argument.value:f}" if wanted == "text" else self.constant(argument, "number")
        return self.render(argument, wanted)

    def case(self, arguments: tuple[RecordExpression, ...], own: str) -> str:
        pairs = zip(arguments[0:-1:2], arguments[1:-1:2], strict=True)
        branches = " ".join(f"WHEN {self.render(when, 'boolean')} THEN {self.render(then, own)}" for when, then in pairs)
        return f"CASE {branches} ELSE {self.render(arguments[-1], own)} END"


def _size(number: Decimal) -> tuple[int, int]:
    text = f"{abs(number):f}"
    scale = len(text.partition(".")[2])
    return max(len(text.replace(".", "").lstrip("0")), scale + 1, 1), scale


def _as_field(sql: str, own: str) -> Field:
    if found := _DECIMAL.fullmatch(own):
        return Field(f"({sql})", "decimal", digits=int(found[1]), scale=int(found[2]))
    forms = {"text": Field(f"({sql})", "text"), "integer": Field(f"({sql})", "integer"), "time": Field(f"({sql})", "micros")}
    return forms.get(own) or Field(f"({sql})", "boolean")


_OWN: dict[Kind, str] = {
    "any": "text",
    "text": "text",
    "number": f"decimal({_NUMBER[0]},{_NUMBER[1]})",
    "boolean": "boolean",
    "time": "time",
}
_SQL_TYPES = {"text": "VARCHAR", "integer": "BIGINT", "time": "BIGINT", "boolean": "BOOLEAN"}
_READ: dict[str, Callable[[Field, str | None], str]] = {
    "text": lambda field, _: read_text(field),
    "integer": lambda field, _: read_integer(field),
    "boolean": lambda field, _: read_boolean(field),
    "time": read_instant,
}


def _infix(operator: str) -> Callable[[list[str]], str]:
    return lambda arguments: "(" + f" {operator} ".join(arguments) + ")"


def _function(name: str) -> Callable[[list[str]], str]:
    return lambda arguments: f"{name}({', '.join(arguments)})"


def _calculated(operator: str) -> Callable[[list[str]], str]:
    """A result that has more digits than there is room for is no value, which `Value.unread` notices."""
    return lambda arguments: f"TRY(CAST({f' {operator} '.join(arguments)} AS DECIMAL(38,9)))"


_CALLS: dict[str, Callable[[list[str]], str]] = {
    **{name: _infix(name) for name in ("=", "<>", "<", "<=", ">", ">=", "||")},
    "and": _infix("AND"),
    "or": _infix("OR"),
    "like": _infix("LIKE"),
    "not": lambda arguments: f"(NOT {arguments[0]})",
    "negate": lambda arguments: f"(- {arguments[0]})",
    "in": lambda arguments: f"({arguments[0]} IN ({', '.join(arguments[1:])}))",
    "+": _calculated("+"),
    "-": _calculated("-"),
    "*": _calculated("*"),
    **{
        name: _function(name)
        for name in ("concat", "lower", "upper", "trim", "substring", "replace", "split_part", "coalesce")
    },
}
