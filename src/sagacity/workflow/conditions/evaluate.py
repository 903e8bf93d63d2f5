"""What a condition says of actual values: three-valued as SQL, exact, and the same as every engine's answer.

`sagacity.workflow.conditions.condition` defines what each operator means. Nothing is rounded: the parser admits no
expression whose
values could need more than 38 digits, and no operator that would round.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, Inexact
from enum import Enum
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Final, TypeAlias

from sagacity.workflow.conditions.condition import Aggregate, Attribute, Constant, Expression, Operation
from sagacity.workflow.trace import Value

__all__ = ["Lookup", "evaluate", "is_true"]

Lookup: TypeAlias = Callable[[Attribute | Aggregate], tuple[Value, str | None]]
"""Yields the value of an attribute or aggregate, and its currency; None for what is absent. The currency of what is not
marked to carry one is not looked at."""


def evaluate(expression: Expression, lookup: Lookup) -> Value:
    """The value of the expression; None where it is absent or, for a condition, neither true nor false."""
    return _evaluate(expression, lookup)[0]


def is_true(expression: Expression, lookup: Lookup) -> bool:
    """Whether the condition is true. What is neither true nor false is not."""
    return _evaluate(expression, lookup)[0] is True


class _Plain(Enum):
    """In the place of a currency: this number has none and agrees with every one."""

    PLAIN = 0


_PLAIN: Final = _Plain.PLAIN
_Currency: TypeAlias = str | _Plain | None
_Amount: TypeAlias = tuple[Value, _Currency]
_Rule: TypeAlias = Callable[[tuple[Expression, ...], Lookup], _Amount]


def _evaluate(node: Expression, lookup: Lookup) -> _Amount:
    if isinstance(node, Operation):
        value, currency = _RULES[node.operator](node.arguments, lookup)
        return value, currency if node.currency else _PLAIN
    if isinstance(node, Constant):
        return node.value, _PLAIN
    value, currency = lookup(node)
    if not node.currency or (currency is None and value == 0 and isinstance(node, Aggregate) and node.function == "sum"):
        return value, _PLAIN
    return value, currency


def _connective(decisive: bool) -> _Rule:
    """AND is settled by the first false, OR by the first true; without one, an absent value leaves it open."""

    def rule(arguments: tuple[Expression, ...], lookup: Lookup) -> _Amount:
        result: bool | None = not decisive
        for argument in arguments:
            value = _evaluate(argument, lookup)[0]
            if value is decisive:
                return decisive, _PLAIN
            if value is None:
                result = None
        return result, _PLAIN

    return rule


def _binary(apply: Callable[[Any, Any], Value]) -> _Rule:
    """Of two values that are present and, where both are money, in one currency."""

    def rule(arguments: tuple[Expression, ...], lookup: Lookup) -> _Amount:
        left, of_left = _evaluate(arguments[0], lookup)
        right, of_right = _evaluate(arguments[1], lookup)
        if of_left is _PLAIN:
            shared = of_right
        elif of_right is _PLAIN or (of_left is not None and of_left == of_right):
            shared = of_left
        else:
            return None, None
        return (None if left is None or right is None else apply(left, right)), shared

    return rule


def _unary(apply: Callable[[Any], Value]) -> _Rule:
    def rule(arguments: tuple[Expression, ...], lookup: Lookup) -> _Amount:
        value, currency = _evaluate(arguments[0], lookup)
        return (None if value is None else apply(value)), currency

    return rule


def _is_null(arguments: tuple[Expression, ...], lookup: Lookup) -> _Amount:
    return _evaluate(arguments[0], lookup)[0] is None, _PLAIN


def _in(arguments: tuple[Expression, ...], lookup: Lookup) -> _Amount:
    value, *listed = (_evaluate(argument, lookup)[0] for argument in arguments)
    if value is None:
        return None, _PLAIN
    if any(value == other for other in listed if other is not None):
        return True, _PLAIN
    return (None if None in listed else False), _PLAIN


def _coalesce(arguments: tuple[Expression, ...], lookup: Lookup) -> _Amount:
    amounts = (_evaluate(argument, lookup) for argument in arguments)
    return next((amount for amount in amounts if amount[0] is not None), (None, None))


_EXACT = Context(prec=400, traps=[Inexact])
_LOWER: Mapping[int, int] = str.maketrans(ascii_uppercase, ascii_lowercase)
_UPPER: Mapping[int, int] = str.maketrans(ascii_lowercase, ascii_uppercase)


def _exactly(
    whole: Callable[[int, int], int], decimal: Callable[[Decimal | int, Decimal | int], Decimal]
) -> Callable[[Any, Any], Value]:
    def apply(left: Any, right: Any) -> Value:
        return whole(left, right) if isinstance(left, int) and isinstance(right, int) else decimal(left, right)

    return apply


def _negate(value: Any) -> Value:
    return -value if isinstance(value, int) else _EXACT.minus(value)


def _abs(value: Any) -> Value:
    return abs(value) if isinstance(value, int) else _EXACT.abs(value)


@lru_cache(maxsize=1024)
def _pattern(like: str) -> re.Pattern[str]:
    """The pattern as a regular expression. Each stretch between two `%` is taken where it first fits and never tried
    elsewhere, which suffices, so that no pattern takes more than quadratic time."""
    first, *others = ("".join("." if char == "_" else re.escape(char) for char in part) for part in like.split("%"))
    if not others:
        return re.compile(first, re.DOTALL)
    *middle, last = others
    return re.compile(first + "".join(f"(?>.*?{part})" for part in middle) + f".*{last}", re.DOTALL)


def _like(value: str, pattern: str) -> bool:
    return _pattern(pattern).fullmatch(value) is not None


_RULES: Mapping[str, _Rule] = {
    "and": _connective(False),
    "or": _connective(True),
    "not": _unary(operator.not_),
    "=": _binary(operator.eq),
    "<>": _binary(operator.ne),
    "<": _binary(operator.lt),
    "<=": _binary(operator.le),
    ">": _binary(operator.gt),
    ">=": _binary(operator.ge),
    "+": _binary(_exactly(operator.add, _EXACT.add)),
    "-": _binary(_exactly(operator.sub, _EXACT.subtract)),
    "*": _binary(_exactly(operator.mul, _EXACT.multiply)),
    "negate": _unary(_negate),
    "abs": _unary(_abs),
    "is_null": _is_null,
    "in": _in,
    "like": _binary(_like),
    "lower": _unary(lambda text: text.translate(_LOWER)),
    "upper": _unary(lambda text: text.translate(_UPPER)),
    "trim": _unary(lambda text: text.strip(" ")),
    "length": _unary(len),
    "coalesce": _coalesce,
}
