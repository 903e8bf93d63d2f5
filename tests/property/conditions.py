"""Random conditions in SQL that type-check: a small grammar over references of known type.

Constants come from the same few values as the events of `strategies`, so that conditions are true about as often as not.
"""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from sagacity.workflow.model import ValueType

__all__ = ["References", "conditions"]

References = Mapping[str, ValueType]
"""How each value is referred to, such as `a.amount` or `count(A)`, and its type."""

_ORDER = ("=", "<>", "<", "<=", ">", ">=")

_ALONE: dict[ValueType, tuple[str, ...]] = {
    "text": (
        "{x} = 'x'",
        "{x} <> 'y'",
        "{x} >= 'xa'",
        "{x} IN ('x', 'y')",
        "{x} NOT IN ('y', 'z')",
        "{x} LIKE 'x%'",
        "upper({x}) = 'X'",
        "length({x}) < 2",
        "coalesce({x}, 'x') = 'x'",
    ),
    "integer": (
        "{x} {order} 1",
        "{x} * 2 {order} 2",
        "{x} BETWEEN 1 AND 2",
        "-{x} {order} -1",
        "coalesce({x}, 1) {order} 1",
    ),
    "decimal": ("{x} {order} 1.5", "{x} + 0.5 {order} 2", "abs({x}) {order} 1", "{x} * 2 {order} 2", "{x} NOT IN (1, 1.5)"),
    "boolean": ("{x}", "NOT {x}", "{x} = FALSE"),
    "time": ("{x} {order} TIMESTAMP '1970-01-01T00:00:00.000003Z'", "{x} - INTERVAL '1 microsecond' {order} {x}"),
}

_TOGETHER: dict[ValueType, tuple[str, ...]] = {
    "text": ("{x} = {y}", "{x} <> {y}", "{x} {order} {y}", "lower({x}) = {y}"),
    "integer": ("{x} = {y}", "{x} {order} {y}", "{x} - {y} {order} 0", "{x} + {y} {order} 2"),
    "decimal": ("{x} = {y}", "{x} = {y}", "{x} {order} {y}", "{x} - {y} {order} 0.5", "{x} + {y} {order} 2"),
    "boolean": ("{x} = {y}", "{x} <> {y}", "{x} OR NOT {y}"),
    "time": ("{x} {order} {y}", "{x} - {y} {order} INTERVAL '2 microseconds'", "{x} + INTERVAL '1 microsecond' {order} {y}"),
}


@st.composite
def conditions(draw: st.DrawFn, references: References) -> str:
    """A condition over the references: mostly one comparison, at times joined, negated or a test for absence."""
    first = draw(_comparisons(references))
    shape = draw(st.sampled_from(("{p}", "{p}", "{p}", "NOT ({p})", "{p} AND {q}", "{p} OR {q}")))
    return shape.format(p=f"({first})", q=f"({draw(_comparisons(references))})") if shape != "{p}" else first


@st.composite
def _comparisons(draw: st.DrawFn, references: References) -> str:
    x = draw(st.sampled_from(sorted(references)))
    alike = [other for other in sorted(references) if references[other] == references[x] and other != x]
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from((f"{x} IS NULL", f"{x} IS NOT NULL")))
    forms = _ALONE[references[x]] if not alike or draw(st.integers(0, 2)) == 0 else _TOGETHER[references[x]]
    y = draw(st.sampled_from(alike)) if alike else x
    return draw(st.sampled_from(forms)).format(x=x, y=y, order=draw(st.sampled_from(_ORDER)))
