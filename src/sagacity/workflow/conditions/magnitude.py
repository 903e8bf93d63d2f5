"""How large a number of a condition can grow: what tells whether an engine with 38-digit decimals computes it exactly."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from sagacity.workflow.conditions.condition import Aggregate, Constant, Expression, Operation

__all__ = ["LARGEST", "Magnitude", "magnitude"]

LARGEST = 10**38 - 1
"""The largest number, without its decimal point, that DECIMAL(38, scale) holds."""

_INTEGER = 2**63
_EVENTS = 10**9
"""A case has fewer events than this, so that a sum has at most nine digits more than what it adds up."""


class Magnitude(msgspec.Struct, frozen=True):
    """A number has at most `scale` digits after the point and, without the point, is at most `limit` in size."""

    limit: int
    scale: int

    @property
    def digits(self) -> int:
        return max(len(str(self.limit)), self.scale, 1)

    def at(self, scale: int) -> int:
        """The limit with so many digits after the point."""
        return self.limit * int(10 ** (scale - self.scale))


def magnitude(expression: Expression) -> Magnitude:
    """How large the number (or time, or duration) can be that the expression yields; 64 bits for what is captured whole."""
    match expression:
        case Constant(value=Decimal() as value):
            _, digits, exponent = value.as_tuple()
            scale = max(-int(exponent), 0)
            return Magnitude(int("".join(map(str, digits))) * 10 ** max(int(exponent), 0), scale)
        case Constant(value=int() as value):
            return Magnitude(abs(value), 0)
        case Constant():
            return Magnitude(0, 0)
        case Operation(operator=operator, arguments=arguments):
            return _of_operation(operator, [magnitude(argument) for argument in arguments] if operator != "length" else [])
    leaf = Magnitude(10**expression.digits - 1, expression.scale) if expression.type == "decimal" else Magnitude(_INTEGER, 0)
    if isinstance(expression, Aggregate) and expression.function == "sum":
        return Magnitude(min(leaf.limit * _EVENTS, LARGEST), leaf.scale)
    return leaf


def _of_operation(operator: str, parts: list[Magnitude]) -> Magnitude:
    if not parts:
        return Magnitude(_INTEGER, 0)
    if operator == "*":
        left, right = parts
        return Magnitude(left.limit * right.limit, left.scale + right.scale)
    scale = max(part.scale for part in parts)
    limits = [part.at(scale) for part in parts]
    return Magnitude(sum(limits) if operator in ("+", "-") else max(limits), scale)
