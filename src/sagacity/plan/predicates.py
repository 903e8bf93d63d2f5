"""Conditions as relational expressions: the answer of `sagacity.workflow.conditions.evaluate`, in an engine.

What is rendered presumes of the engine: VARCHAR that compares by code points (DuckDB as it comes, PostgreSQL under the "C"
collation), LENGTH that counts them, times and durations as BIGINT microseconds, decimals of 38 digits. Arithmetic is cast to
decimals that are wide enough for what the captures allow, so that no engine overflows, rounds, or turns to floating point.
LOWER and UPPER become TRANSLATE over the ASCII letters where a text has others: what engines do with those differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from string import ascii_lowercase, ascii_uppercase
from typing import Final, TypeAlias

import msgspec
from sqlglot import exp

from sagacity.workflow.conditions.condition import Aggregate, Attribute, Constant, Expression, Operation, Type
from sagacity.workflow.conditions.magnitude import magnitude

__all__ = ["Columns", "render"]

Columns: TypeAlias = Callable[[Attribute | Aggregate], tuple[exp.Expr, exp.Expr | None]]
"""Yields the expression for the value of an attribute or aggregate, and for its currency where it carries one."""


def render(expression: Expression, column: Columns) -> exp.Expr:
    """The condition over the given columns: TRUE, FALSE, or NULL for neither.

    Only TRUE counts: the caller wraps it in COALESCE(..., FALSE). The expressions that `column` yields are copied.
    """
    return _Renderer(column).amount(expression).value


class _Amount(msgspec.Struct, frozen=True):
    """A value with its currency (None: it never carries one), and whether it has none and agrees with every currency."""

    value: exp.Expr
    currency: exp.Expr | None = None
    plain: exp.Expr | None = None


_COMPARISONS: Final[Mapping[str, type[exp.Binary]]] = {
    "=": exp.EQ, "<>": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE,
}  # fmt: skip
_ARITHMETIC: Final[Mapping[str, type[exp.Binary]]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}
_FOLDING: Final[Mapping[str, tuple[type[exp.Func], str, str]]] = {
    "lower": (exp.Lower, ascii_uppercase, ascii_lowercase),
    "upper": (exp.Upper, ascii_lowercase, ascii_uppercase),
}
_NULLS: Final[Mapping[Type, str]] = {"text": "VARCHAR", "boolean": "BOOLEAN"}
"""What NULL is cast to; numbers, times and durations are BIGINT."""


class _Renderer:
    def __init__(self, column: Columns) -> None:
        self.column = column

    def amount(self, node: Expression) -> _Amount:
        if isinstance(node, Constant):
            return _Amount(_constant(node))
        if isinstance(node, Operation):
            return _RULES[node.operator](self, node)
        return self.leaf(node)

    def leaf(self, node: Attribute | Aggregate) -> _Amount:
        value, currency = self.column(node)
        if not node.currency or currency is None:
            return _Amount(value.copy())
        plain = None
        if isinstance(node, Aggregate) and node.function == "sum":
            plain = exp.And(this=_is_null(currency), expression=exp.EQ(this=_part(value), expression=exp.Literal.number(0)))
        return _Amount(value.copy(), currency.copy(), plain)

    def value(self, node: Expression) -> exp.Expr:
        return self.amount(node).value

    def part(self, node: Expression) -> exp.Expr:
        return _part(self.value(node))

    def parts(self, nodes: Sequence[Expression]) -> list[exp.Expr]:
        return [self.part(node) for node in nodes]

    def connective(self, node: Operation) -> _Amount:
        kind = exp.And if node.operator == "and" else exp.Or
        return _Amount(_balanced(kind, self.parts(node.arguments)))

    def comparison(self, node: Operation) -> _Amount:
        left, right = (self.amount(argument) for argument in node.arguments)
        compared = _COMPARISONS[node.operator](this=_part(left.value), expression=_part(right.value))
        return _Amount(_where_shared(left, right, compared))

    def arithmetic(self, node: Operation) -> _Amount:
        left, right = (self.amount(argument) for argument in node.arguments)
        least = _HUGE if magnitude(node).digits >= _HUGE else 0  # or DuckDB computes in 64 bits, and overflows
        result = _ARITHMETIC[node.operator](
            this=_wide(node.arguments[0], left.value, least), expression=_wide(node.arguments[1], right.value)
        )
        value = _where_shared(left, right, _cast(result, node))
        if left.currency is None or right.currency is None:
            kept = right if left.currency is None else left
            return _Amount(value, _copy(kept.currency), _copy(kept.plain))
        currency = exp.Coalesce(this=left.currency.copy(), expressions=[right.currency.copy()])
        plain = None
        if left.plain is not None and right.plain is not None:
            plain = exp.And(this=_part(left.plain), expression=_part(right.plain))
        return _Amount(value, currency, plain)

    def signed(self, node: Operation) -> _Amount:
        inner = self.amount(node.arguments[0])
        wide = _wide(node.arguments[0], inner.value)
        value = exp.Neg(this=exp.Paren(this=wide)) if node.operator == "negate" else exp.Abs(this=wide)
        return _Amount(value, inner.currency, inner.plain)

    def coalesce(self, node: Operation) -> _Amount:
        amounts = [self.amount(argument) for argument in node.arguments]
        first, *others = (amount.value for amount in amounts)
        value = exp.Coalesce(this=first.copy(), expressions=[other.copy() for other in others])
        if not node.currency:
            return _Amount(value)
        present = [(exp.Not(this=exp.Paren(this=_is_null(amount.value))), amount) for amount in amounts]
        currency = _cases([(test, amount.currency or _NULL_TEXT) for test, amount in present])
        plain = _cases([(test, amount.plain or exp.Boolean(this=amount.currency is None)) for test, amount in present])
        return _Amount(value, currency, plain)


def _text(kind: type[exp.Func]) -> Callable[[_Renderer, Operation], _Amount]:
    return lambda renderer, node: _Amount(kind(this=renderer.value(node.arguments[0])))


def _folded(renderer: _Renderer, node: Operation) -> _Amount:
    """The ASCII letters in the other case: at the engine's own speed where the text holds nothing else."""
    value = renderer.value(node.arguments[0])
    kind, *letters = _FOLDING[node.operator]
    eight = exp.Mul(this=exp.Literal.number(8), expression=exp.Length(this=value.copy()))
    ascii_only = exp.EQ(this=exp.BitLength(this=value.copy()), expression=eight)
    from_, to = (exp.Literal.string(text) for text in letters)
    careful = exp.Translate(this=value.copy(), from_=from_, to=to)
    return _Amount(exp.Case(ifs=[exp.If(this=ascii_only, true=kind(this=value))], default=careful))


def _trimmed(renderer: _Renderer, node: Operation) -> _Amount:
    return _Amount(exp.Trim(this=renderer.value(node.arguments[0]), expression=exp.Literal.string(" ")))


def _member(renderer: _Renderer, node: Operation) -> _Amount:
    value, *listed = renderer.parts(node.arguments)
    return _Amount(exp.In(this=value, expressions=listed))


def _like(renderer: _Renderer, node: Operation) -> _Amount:
    value, pattern = renderer.parts(node.arguments)
    return _Amount(exp.Like(this=value, expression=pattern))


_RULES: Final[Mapping[str, Callable[[_Renderer, Operation], _Amount]]] = {
    **dict.fromkeys(("and", "or"), _Renderer.connective),
    **dict.fromkeys(_COMPARISONS, _Renderer.comparison),
    **dict.fromkeys(_ARITHMETIC, _Renderer.arithmetic),
    **dict.fromkeys(("negate", "abs"), _Renderer.signed),
    **dict.fromkeys(_FOLDING, _folded),
    "not": lambda renderer, node: _Amount(exp.Not(this=renderer.part(node.arguments[0]))),
    "is_null": lambda renderer, node: _Amount(_is_null(renderer.value(node.arguments[0]))),
    "in": _member,
    "like": _like,
    "trim": _trimmed,
    "length": _text(exp.Length),
    "coalesce": _Renderer.coalesce,
}


def _where_shared(left: _Amount, right: _Amount, result: exp.Expr) -> exp.Expr:
    """The result where the currencies agree, else NULL."""
    if left.currency is None or right.currency is None:
        return result
    same = exp.EQ(this=_part(left.currency), expression=_part(right.currency))
    agree = _balanced(exp.Or, [same, *(_part(amount.plain) for amount in (left, right) if amount.plain is not None)])
    return _cases([(agree, result)])


def _cases(cases: Sequence[tuple[exp.Expr, exp.Expr]]) -> exp.Case:
    return exp.Case(ifs=[exp.If(this=test, true=then.copy()) for test, then in cases])


_HUGE: Final = 19
"""The digits from which on a decimal takes 128 bits."""


def _wide(node: Expression, value: exp.Expr, least: int = 0) -> exp.Expr:
    """An operand of arithmetic as a decimal that holds it; captured decimals and results are that already."""
    if (
        least <= magnitude(node).digits
        and node.type == "decimal"
        and (isinstance(node, Attribute) or (isinstance(node, Operation) and node.operator != "coalesce"))
    ):
        return _part(value)
    return _cast(value, node, least)


def _cast(value: exp.Expr, node: Expression, least: int = 0) -> exp.Expr:
    reach = magnitude(node)
    size = [exp.DataTypeParam(this=exp.Literal.number(part)) for part in (max(reach.digits, least), reach.scale)]
    return exp.Cast(this=value.copy(), to=exp.DataType(this=exp.DType.DECIMAL, expressions=size))


def _constant(node: Constant) -> exp.Expr:
    match node.value:
        case None:
            return exp.cast(exp.Null(), _NULLS.get(node.type, "BIGINT"))
        case bool() as value:
            return exp.Boolean(this=value)
        case str() as value:
            return exp.Literal.string(value)
        case Decimal() as value:
            return _signed(value < 0, _cast(exp.Literal.number(f"{abs(value):f}"), node))
        case value:
            return _signed(value < 0, exp.Literal.number(abs(value)))


def _signed(negative: bool, value: exp.Expr) -> exp.Expr:
    return exp.Neg(this=value) if negative else value


_NULL_TEXT: Final = exp.cast(exp.Null(), "VARCHAR")


def _is_null(value: exp.Expr) -> exp.Expr:
    return exp.Is(this=_part(value), expression=exp.Null())


def _balanced(kind: type[exp.And | exp.Or], parts: list[exp.Expr]) -> exp.Expr:
    """The parts joined by AND or OR as a tree of little depth."""
    while len(parts) > 1:
        joined: list[exp.Expr] = [
            exp.Paren(this=kind(this=left, expression=right)) for left, right in zip(parts[::2], parts[1::2], strict=False)
        ]
        parts = [*joined, parts[-1]] if len(parts) % 2 else joined
    return parts[0]


def _part(value: exp.Expr) -> exp.Expr:
    """A copy that can stand as an operand of anything."""
    whole = isinstance(value, exp.Column | exp.Literal | exp.Boolean | exp.Null | exp.Func | exp.Paren)
    return value.copy() if whole and not isinstance(value, exp.Binary) else exp.Paren(this=value.copy())


def _copy(value: exp.Expr | None) -> exp.Expr | None:
    return None if value is None else value.copy()
