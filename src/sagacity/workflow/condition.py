"""Conditions and asserts as typed expression trees.

One tree serves every reader: the reference judge evaluates it in Python (`sagacity.workflow.evaluate`), the plan renders
it for an engine. Logic is three-valued as in SQL, and only *true* counts: a comparison with an absent value is neither
true nor false, and so is a comparison of amounts in different currencies.
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
]

Type: TypeAlias = Literal["text", "integer", "decimal", "boolean", "time", "duration"]
"""Times are microseconds since 1970-01-01T00:00Z, durations microseconds, decimals exact."""

Operator: TypeAlias = Literal[
    "and", "or", "not", "=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "negate",
    "is_null", "in", "like", "lower", "upper", "trim", "length", "abs", "coalesce",
]  # fmt: skip

AggregateFunction: TypeAlias = Literal["count", "first", "last", "sum", "min", "max"]


class Constant(msgspec.Struct, frozen=True, tag=True):
    """A literal value; None is SQL's NULL."""

    value: str | int | Decimal | bool | None
    type: Type


class Attribute(msgspec.Struct, frozen=True, tag=True):
    """An attribute of one event. `place` is `self` in a `when` condition, `a` or `b` in a `where` condition.

    `name` is a captured attribute, or `time` or `id`. `currency` tells that the attribute carries one, kept under the
    name `<name>.currency`.
    """

    place: Literal["self", "a", "b"]
    name: str
    type: Type
    currency: bool = False


class Aggregate(msgspec.Struct, frozen=True, tag=True):
    """A value over all of a case's events of one type, in the order of the trace.

    `count` without an attribute counts events, with one the events that have it; of no events it is 0, and so is `sum`.
    `first` and `last` are the attribute of the first and last event (`X.attr` in the source text means `first`); among
    concurrent events the smallest value counts for `first`, the largest for `last`, absent values last and first.
    `min`, `max` and `sum` pass over absent values. Of an attribute with a `currency`, `first` and `last` carry the
    currency of their own event; `min`, `max` and `sum` the one that all events with that attribute share, and none where
    they differ.
    """

    function: AggregateFunction
    event: str
    attribute: str | None
    type: Type
    currency: bool = False


class Operation(msgspec.Struct, frozen=True, tag=True):
    """An operator applied to arguments. `in` takes the value and then the constants; `like` a value and a pattern."""

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


def _walk(expression: Expression) -> list[Expression]:
    below = expression.arguments if isinstance(expression, Operation) else ()
    return [expression, *(node for argument in below for node in _walk(argument))]
