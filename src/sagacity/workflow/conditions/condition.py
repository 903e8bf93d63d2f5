"""Conditions and asserts as typed expression trees.

One tree serves every reader: the reference judge evaluates it in Python (`sagacity.workflow.conditions.evaluate`), the
plan renders
it for an engine (`sagacity.plan.predicates`). Logic is three-valued as in SQL, and only *true* counts: a comparison with an
absent value is neither true nor false.

Numbers are exact. Text compares by code points, and `length` counts them; `lower` and `upper` change the 26 ASCII letters
and nothing else, `trim` takes spaces (U+0020) off both ends: engines agree on no more than that. `_` in a `like` pattern
stands for one code point, `%` for any number; nothing escapes them.

Money: an operand with `currency` carries one. Two such amounts compare, add and subtract only where their currencies are
present and equal; else the result is absent, so that under NOT it is still neither true nor false. A plain number compares
with the number of an amount, adds to it and multiplies it, and the amount's currency stays. A sum of 0 without a currency
(no event to add up) counts as a plain number, and a plain number that `coalesce` puts in an amount's place stays plain.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "Aggregate",
    "Attribute",
    "Constant",
    "Expression",
    "Operation",
    "Operator",
    "Type",
    "aggregates",
    "attributes",
    "text_comparisons",
]

Type: TypeAlias = Literal["text", "integer", "decimal", "boolean", "time", "duration"]
"""Times are microseconds since 1970-01-01T00:00Z, durations microseconds, decimals exact."""

Operator: TypeAlias = Literal[
    "and", "or", "not", "=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "negate",
    "is_null", "in", "like", "lower", "upper", "trim", "length", "abs", "coalesce",
]  # fmt: skip

AggregateFunction: TypeAlias = Literal["count", "first", "last", "sum", "min", "max"]


class Constant(msgspec.Struct, frozen=True, tag_field="node"):
    """A literal value; None is SQL's NULL."""

    value: str | int | Decimal | bool | None
    type: Type


class Attribute(msgspec.Struct, frozen=True, tag_field="node"):
    """An attribute of one event. `place` is `self` in a `when` condition, `a` or `b` in a `where` condition.

    `name` is a captured attribute, or `time` or `id`. `currency` tells that the attribute carries one, kept under the
    name `<name>.currency`. `digits` and `scale` say how large a decimal can be, as its capture does. `assumed` tells that
    the author stated no type and text is assumed.
    """

    place: Literal["self", "a", "b"]
    name: str
    type: Type
    currency: bool = False
    digits: int = 18
    scale: int = 4
    assumed: bool = False


class Aggregate(msgspec.Struct, frozen=True, tag_field="node"):
    """A value over all of a case's events of one type, in the order of the trace.

    `count` without an attribute counts events, with one the events that have it; of no events it is 0, and so is `sum`.
    `first` and `last` are the attribute of the first and last event (`X.attr` in the source text means `first`); among
    concurrent events the smallest value (of equal ones the smallest currency) counts for `first`, the largest for `last`,
    absent values last and first.
    `min`, `max` and `sum` pass over absent values. Of an attribute with a `currency`, `first` and `last` carry the
    currency of their own event; `min`, `max` and `sum` the one that all events with that attribute share, and where they
    differ (an absent currency differs from a present one) `min`, `max` and `sum` are absent: no number is the sum of
    amounts in two currencies.

    `digits`, `scale` and `assumed` are those of the attribute.
    """

    function: AggregateFunction
    event: str
    attribute: str | None
    type: Type
    currency: bool = False
    digits: int = 18
    scale: int = 4
    assumed: bool = False


class Operation(msgspec.Struct, frozen=True, tag_field="node"):
    """An operator applied to arguments.

    `and`, `or` and `coalesce` take two or more; `in` takes the value and then the constants; `like` a value and a constant
    pattern. `currency` tells that the result carries one.
    """

    operator: Operator
    arguments: tuple[Expression, ...]
    type: Type
    currency: bool = False


Expression: TypeAlias = Constant | Attribute | Aggregate | Operation


def aggregates(expression: Expression) -> tuple[Aggregate, ...]:
    """Every aggregate in the tree, left to right, each once."""
    return tuple(dict.fromkeys(node for node in _walk(expression) if isinstance(node, Aggregate)))


def attributes(expression: Expression) -> tuple[Attribute, ...]:
    """Every attribute in the tree, left to right, each once."""
    return tuple(dict.fromkeys(node for node in _walk(expression) if isinstance(node, Attribute)))


def text_comparisons(expression: Expression) -> tuple[tuple[Attribute | Aggregate, Attribute | Aggregate], ...]:
    """The pairs of attributes that are compared as text only because neither states a type: `10` and `10.0` differ."""
    return tuple(
        (left, right)
        for node in _walk(expression)
        if isinstance(node, Operation) and node.operator in _COMPARISONS
        for left, right in [node.arguments]
        if isinstance(left, Attribute | Aggregate) and isinstance(right, Attribute | Aggregate)
        if left.assumed and right.assumed
    )


_COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})


def _walk(expression: Expression) -> list[Expression]:
    below = expression.arguments if isinstance(expression, Operation) else ()
    return [expression, *(node for argument in below for node in _walk(argument))]
