"""Record expressions: the SQL over raw records in a workflow's `where`, `time`, `id`, `key`, `type`, `seq` and `capture`.

A path such as `data.items[0].sku` leads into the record; array positions count from 0, and a name that is not a plain
word stands in double quotes (`"odd name"`, `"concept:name"`). Around paths stands SQL, admitted against a list: literals,
comparisons, AND, OR, NOT, IN, LIKE, BETWEEN, IS NULL, `||`, CONCAT, `+ - *`, LOWER, UPPER, TRIM, SUBSTRING, REPLACE,
SPLIT_PART, COALESCE, CASE, and CAST to text, integer, decimal, boolean or timestamp.

Raw records have no fixed types, so the expression says how a path is read: beside a number, or in arithmetic, as a
number; beside TRUE or in a condition, as a boolean; else as text; CAST states it. A value that does not read so counts
as absent in a condition, and as with NULL in SQL, what is compared with it is not true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Call", "Constant", "Function", "Kind", "Path", "RecordExpression", "kind_of", "parse_record", "paths"]

Kind: TypeAlias = Literal["any", "text", "number", "boolean", "time"]
"""What an expression yields; `any` is a value of the record as it stands."""

Function: TypeAlias = Literal[
    "and", "or", "not", "=", "<>", "<", "<=", ">", ">=", "is_null", "in", "like",
    "||", "concat", "+", "-", "*", "negate",
    "lower", "upper", "trim", "substring", "replace", "split_part", "coalesce", "case", "cast",
]  # fmt: skip


class Path(msgspec.Struct, frozen=True, tag=True):
    """A way into the record: names of fields, and positions in arrays (counted from 0)."""

    steps: tuple[str | int, ...]

    def __str__(self) -> str:
        text = ""
        for step in self.steps:
            if isinstance(step, int):
                text += f"[{step}]"
            else:
                name = step if _WORD.fullmatch(step) else '"' + step.replace('"', '""') + '"'
                text += f".{name}" if text else name
        return text


class Constant(msgspec.Struct, frozen=True, tag=True):
    """A literal; None is NULL."""

    value: str | Decimal | bool | None


class Call(msgspec.Struct, frozen=True, tag=True):
    """A function or operator. `kind` is what it yields, `operands` how its arguments are read.

    `case` alternates conditions and values, and ends with the default; `||` is NULL where an argument is, `concat` passes
    over such arguments. `to`, of `cast` alone, is `text`, `integer`, `decimal(p,s)`, `boolean` or `time`.
    """

    function: Function
    arguments: tuple[RecordExpression, ...]
    kind: Kind
    operands: Kind
    to: str | None = None


RecordExpression: TypeAlias = Path | Constant | Call

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = r'(?:[A-Za-z_@][A-Za-z0-9_@$]*|"(?:[^"]|"")+")'
_PATH = re.compile(rf"\s*{_STEP}(?:\.{_STEP}|\[[0-9]{{1,9}}\])*\s*")
_PIECE = re.compile(rf"({_STEP})|\[([0-9]+)\]")
_TEXT = re.compile(r"\s*'((?:[^']|'')*)'\s*")
_WORDS_OF_SQL = {"true", "false", "null"}


def parse_record(text: str) -> RecordExpression:
    """The expression that a text stands for.

    Raises ConditionError for what is not SQL, is not on the list, or mixes kinds that never compare.
    """
    if _PATH.fullmatch(text) and text.strip().lower() not in _WORDS_OF_SQL:
        return Path(tuple(int(position) if position else _name(name) for name, position in _PIECE.findall(text)))
    if literal := _TEXT.fullmatch(text):
        return Constant(literal[1].replace("''", "'"))
    parse = _sql_parser()
    return parse(text)


def paths(expression: RecordExpression) -> tuple[Path, ...]:
    """Every path in the expression, left to right, each once."""
    return tuple(dict.fromkeys(_paths(expression)))


def kind_of(expression: RecordExpression) -> Kind:
    """What the expression yields."""
    match expression:
        case Path():
            return "any"
        case Call():
            return expression.kind
        case Constant(value=None):
            return "any"
        case Constant(value=bool()):
            return "boolean"
        case Constant(value=str()):
            return "text"
    return "number"


def _paths(expression: RecordExpression) -> Iterator[Path]:
    if isinstance(expression, Path):
        yield expression
    elif isinstance(expression, Call):
        for argument in expression.arguments:
            yield from _paths(argument)


def _name(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def _sql_parser() -> Callable[[str], RecordExpression]:
    """The parser proper, fetched only for texts that are more than a path: it takes a while to import."""
    from sagacity.workflow.conditions.record_parser import parse

    return parse
