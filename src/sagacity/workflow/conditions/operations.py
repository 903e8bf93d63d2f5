"""Typed operations: what may be combined with what, and what comes of it.

| operation | takes | yields |
|---|---|---|
| `+` `-` | numbers; a time and a duration; durations | a number; a time; a duration |
| `-` | two times | a duration |
| `*` | numbers; a duration and a number | a number; a duration |
| comparison | two of one type, integers and decimals mixing; a time and a text literal | boolean |
| `in`, `coalesce` | values that could be compared | boolean; their type |
| `lower` `upper` `trim` `like`, `length` | text | text, boolean; integer |

Every function raises `Refusal` where its operands do not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, cast

from sagacity.workflow.conditions.condition import Aggregate, Attribute, Constant, Expression, Operation, Operator, Type
from sagacity.workflow.conditions.literals import instant
from sagacity.workflow.conditions.magnitude import LARGEST, magnitude
from sagacity.workflow.conditions.refusal import Refusal

__all__ = [
    "all_of", "any_of", "arithmetic", "coalesce", "compare", "condition", "inverse", "is_null", "length", "like", "member",
    "negate", "size", "spelling",
]  # fmt: skip

_NUMBERS = frozenset({"integer", "decimal"})
_MEASURES = frozenset({"integer", "decimal", "time", "duration"})
_MOST_SCALE = 18

_NOUNS: dict[Type, str] = {
    "text": "text", "integer": "an integer", "decimal": "a decimal", "boolean": "true or false",
    "time": "a time", "duration": "a duration",
}  # fmt: skip


def all_of(arguments: Sequence[Expression]) -> Operation:
    """AND."""
    return Operation("and", tuple(condition(argument) for argument in arguments), "boolean")


def any_of(arguments: Sequence[Expression]) -> Operation:
    """OR."""
    return Operation("or", tuple(condition(argument) for argument in arguments), "boolean")


def inverse(argument: Expression) -> Operation:
    """NOT."""
    return Operation("not", (condition(argument),), "boolean")


def condition(node: Expression) -> Expression:
    """The node itself, where it is true or false."""
    if _is_null(node):
        return Constant(None, "boolean")
    if node.type != "boolean":
        capture = ", or capture it `as boolean`" if isinstance(node, Attribute | Aggregate) and node.type == "text" else ""
        raise Refusal(f"{_shown(node)} is {_NOUNS[node.type]}, not a condition", f"compare it with something{capture}")
    return node


def compare(operator: Operator, left: Expression, right: Expression) -> Operation:
    """One of the six comparisons."""
    for node, other in ((left, right), (right, left)):
        if _is_null(node):
            inverted = " NOT" if operator == "<>" else ""
            raise Refusal("a comparison with NULL is never true", f"write {_bare(other)} IS{inverted} NULL")
    left, right = _alike([left, right])
    if left.type == "boolean" and operator not in ("=", "<>"):
        raise Refusal("true and false have no order", "compare them with = or <>")
    return Operation(operator, (left, right), "boolean")


def member(value: Expression, listed: Sequence[Expression]) -> Operation:
    """IN, over constants."""
    for other in listed:
        if not isinstance(other, Constant):
            raise Refusal(f"IN takes constants, and {_shown(other)} is none", "compare with = and join with OR")
    return Operation("in", tuple(_alike([value, *listed])), "boolean")


def is_null(value: Expression) -> Operation:
    """IS NULL."""
    return Operation("is_null", (value,), "boolean")


def like(value: Expression, pattern: Expression) -> Operation:
    """LIKE with a constant pattern."""
    if not isinstance(pattern, Constant) or not isinstance(pattern.value, str):
        raise Refusal("LIKE takes a pattern in single quotes", "such as name LIKE 'A%'")
    return Operation("like", (_text(value, "LIKE"), pattern), "boolean")


def spelling(operator: Literal["lower", "upper", "trim"], value: Expression) -> Operation:
    """LOWER, UPPER or TRIM."""
    return Operation(operator, (_text(value, operator.upper()),), "text")


def length(value: Expression) -> Operation:
    """LENGTH."""
    return Operation("length", (_text(value, "LENGTH"),), "integer")


def coalesce(arguments: Sequence[Expression]) -> Expression:
    """COALESCE: money where one of the arguments is."""
    alike = _alike(arguments)
    if len(alike) == 1:
        return alike[0]
    types = {argument.type for argument in alike}
    kind: Type = "decimal" if types == _NUMBERS else alike[0].type
    return Operation("coalesce", tuple(alike), kind, any(_money(argument) for argument in alike))


def negate(value: Expression) -> Expression:
    """Unary minus; a negative number is a constant."""
    _summable(value)
    if isinstance(value, Constant) and isinstance(value.value, int | Decimal):
        return Constant(value.value.copy_negate() if isinstance(value.value, Decimal) else -value.value, value.type)
    return Operation("negate", (value,), value.type, _money(value))


def size(value: Expression) -> Operation:
    """ABS."""
    _summable(value)
    return Operation("abs", (value,), value.type, _money(value))


def arithmetic(operator: Literal["+", "-", "*"], left: Expression, right: Expression) -> Operation:
    """Addition, subtraction, multiplication."""
    if operator == "-" and "time" in (left.type, right.type):
        left, right = _as_instant(left, right), _as_instant(right, left)
    kinds = ("number" if left.type in _NUMBERS else left.type, "number" if right.type in _NUMBERS else right.type)
    kind = None if _is_null(left) or _is_null(right) else _ARITHMETIC.get((operator, *kinds))
    if kind is None:
        raise _unfit(_WORDS[operator], left, right)
    if operator == "*" and _money(left) and _money(right):
        raise Refusal(
            f"{_shown(left)} and {_shown(right)} are both amounts of money", "multiply an amount by a plain number"
        )
    if kind == "number":
        kind = "integer" if left.type == right.type == "integer" else "decimal"
    result = Operation(operator, (left, right), kind, _money(left) or _money(right))
    reach = magnitude(result)
    if reach.scale > _MOST_SCALE:
        raise Refusal(
            f"the product has {reach.scale} digits after the point, and at most {_MOST_SCALE} are exact",
            "state a smaller `scale` where the numbers are captured",
        )
    if reach.limit > LARGEST:
        raise Refusal("the result could need more than 38 digits", "state fewer `digits` where the numbers are captured")
    return result


_WORDS = {"+": "added to", "-": "subtracted from", "*": "multiplied by"}
_ARITHMETIC: dict[tuple[str, str, str], Literal["number"] | Type] = {
    ("+", "number", "number"): "number",
    ("+", "time", "duration"): "time",
    ("+", "duration", "time"): "time",
    ("+", "duration", "duration"): "duration",
    ("-", "number", "number"): "number",
    ("-", "time", "time"): "duration",
    ("-", "time", "duration"): "time",
    ("-", "duration", "duration"): "duration",
    ("*", "number", "number"): "number",
    ("*", "duration", "number"): "duration",
    ("*", "number", "duration"): "duration",
}


def _alike(nodes: Sequence[Expression]) -> list[Expression]:
    """The nodes with one type: text literals as times among times, NULL as what the others are, numbers as they come."""
    model = next((node for node in nodes if not _is_null(node) and not _is_text_literal(node)), None)
    if model is None:
        model = next((node for node in nodes if not _is_null(node)), nodes[0])
    result: list[Expression] = []
    for node in nodes:
        if _is_null(node):
            result.append(Constant(None, model.type))
            continue
        fitting = _as_instant(node, model)
        if fitting.type != model.type and not {fitting.type, model.type} <= _NUMBERS:
            raise _unfit("compared with", fitting, model)
        result.append(fitting)
    if model.type in _MEASURES:
        reaches = [magnitude(node) for node in result]
        scale = max(reach.scale for reach in reaches)
        if any(reach.at(scale) > LARGEST for reach in reaches):
            raise Refusal(
                "these numbers can only be compared with more than 38 digits", "state fewer `digits` or a smaller `scale`"
            )
    return result


def _unfit(verb: str, left: Expression, right: Expression) -> Refusal:
    if verb == "subtracted from":
        left, right = right, left
    message = f"{_shown(left)} ({_kind(left)}) cannot be {verb} {_shown(right)} ({_kind(right)})"
    for node, other in ((left, right), (right, left)):
        if (hint := _mend(node, other)) is not None:
            return Refusal(message, hint)
    return Refusal(message)


def _mend(node: Expression, other: Expression) -> str | None:
    """How the node could be made to fit the other one."""
    literal = _is_text_literal(node)
    if other.type in _NUMBERS and literal:
        return "write a number without quotes"
    if other.type == "boolean" and literal:
        return "write TRUE or FALSE without quotes"
    if other.type == "duration" and not (isinstance(node, Attribute | Aggregate) and node.type == "text"):
        return "write a length of time such as INTERVAL '3 days'; a time less a time is one too"
    if other.type == "time" and node.type in _NUMBERS | {"text"} and isinstance(node, Constant):
        return "write a time as '2026-11-01T00:00Z', a length of time as INTERVAL '3 days'"
    if node.type == "text" and isinstance(node, Attribute | Aggregate) and other.type not in ("text", "duration"):
        captured = node.name if isinstance(node, Attribute) else node.attribute
        kind = "decimal" if other.type in _NUMBERS else other.type
        return f"capture `{captured}` `as {kind}`"
    if node.type == "time" and other.type in _NUMBERS:
        return "times combine with times, and with lengths of time such as INTERVAL '3 days'"
    return None


def _as_instant(node: Expression, other: Expression) -> Expression:
    return instant(cast(str, node.value)) if other.type == "time" and _is_text_literal(node) else node  # type: ignore[union-attr]


def _text(value: Expression, function: str) -> Expression:
    if value.type != "text":
        raise Refusal(f"{function} takes text, and {_shown(value)} is {_kind(value)}")
    return value


def _summable(value: Expression) -> None:
    if value.type not in _NUMBERS | {"duration"} or _is_null(value):
        hint = _mend(value, Constant(0, "integer"))
        raise Refusal(f"{_shown(value)} is {_kind(value)}, not a number", hint)


def _is_null(node: Expression) -> bool:
    return isinstance(node, Constant) and node.value is None


def _is_text_literal(node: Expression) -> bool:
    return isinstance(node, Constant) and isinstance(node.value, str)


def _money(node: Expression) -> bool:
    return not isinstance(node, Constant) and node.currency


def _kind(node: Expression) -> str:
    return "NULL" if _is_null(node) else _NOUNS[node.type]


def _shown(node: Expression) -> str:
    return _bare(node, "`")


def _bare(node: Expression, quote: str = "") -> str:
    match node:
        case Constant(value=None):
            return "NULL"
        case Constant(value=str() as value):
            return f"'{value}'"
        case Constant(value=bool() as value):
            return str(value).upper()
        case Constant(type="time" | "duration"):
            return f"this {node.type}"
        case Constant(value=value):
            return str(value)
        case Attribute(place=place, name=name):
            return f"{quote}{name if place == 'self' else f'{place}.{name}'}{quote}"
        case Aggregate(function=function, event=event, attribute=attribute):
            return f"{quote}{function}({event}{f'.{attribute}' if attribute else ''}){quote}"
        case Operation(operator=operator):
            return f"the result of {operator.upper() if operator.isalpha() else operator}"
