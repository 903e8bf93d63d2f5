"""Asserts: a predicate over the whole case, and the values that it takes from the case's events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import localcontext
from typing import Any, Literal, TypeAlias

from sagacity.judge.outcome import Fulfilled, Outcome, violation, when_due
from sagacity.judge.trace import Place, Trace
from sagacity.workflow.conditions.condition import Aggregate, Attribute, Expression, aggregates
from sagacity.workflow.conditions.evaluate import is_true
from sagacity.workflow.trace import Value

__all__ = ["judge_assert"]

Amount: TypeAlias = tuple[Value, str | None]
"""A value and its currency, None where it has none."""

_TAKES_A_VALUE = {"first", "last", "min", "max"}


def judge_assert(predicate: Expression, immediate: bool, trace: Trace) -> list[Outcome]:
    """The one outcome of the case; none where the case lacks an event that the predicate takes a value of."""
    taken = aggregates(predicate)
    if any(not trace.of(aggregate.event) for aggregate in taken if aggregate.function in _TAKES_A_VALUE):
        return []

    def lookup(node: Attribute | Aggregate) -> Amount:
        assert isinstance(node, Aggregate), "the parser admits no attribute of a single event into an assert"
        return _aggregate(node, trace.of(node.event))

    if is_true(predicate, lookup):
        return [Fulfilled()]
    if not immediate:
        return [when_due(violation("mismatch", trace.end), trace.as_of)]
    named = {aggregate.event for aggregate in taken}
    latest = max((place.time for place in trace.events if place.type in named), default=trace.start)
    return [violation("mismatch", latest)]


def _aggregate(node: Aggregate, found: Sequence[Place]) -> Amount:
    """The value of an aggregate over the events of its type, which are in the order of the trace."""
    if node.attribute is None:
        return len(found), None
    if node.function == "first":
        return min(_amounts(node, _concurrent(found, 0)), key=_absent_last, default=(None, None))
    if node.function == "last":
        return max(_amounts(node, _concurrent(found, -1)), key=_absent_first, default=(None, None))
    present = [amount for amount in _amounts(node, found) if amount[0] is not None]
    if node.function == "count":
        return len(present), None
    currencies = list({currency for _, currency in present})
    if len(currencies) > 1:
        return None, None
    return _OVER_VALUES[node.function]([value for value, _ in present]), currencies[0] if currencies else None


def _amounts(node: Aggregate, places: Sequence[Place]) -> list[Amount]:
    name = node.attribute or ""
    return [(place.value(name), place.currency(name) if node.currency else None) for place in places]


def _concurrent(found: Sequence[Place], which: Literal[0, -1]) -> list[Place]:
    """The first of the events, or the last, with those that are concurrent with it."""
    return [place for place in found if place.position == found[which].position]


def _absent_last(amount: Amount) -> tuple[object, ...]:
    return tuple((part is None, part) for part in amount)


def _absent_first(amount: Amount) -> tuple[object, ...]:
    return tuple((part is not None, part) for part in amount)


def _sum(values: Sequence[Any]) -> Value:
    with localcontext(prec=100):
        total: Value = sum(values, 0)
        return total


_OVER_VALUES: dict[str, Callable[[Sequence[Any]], Value]] = {
    "sum": _sum,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
}
