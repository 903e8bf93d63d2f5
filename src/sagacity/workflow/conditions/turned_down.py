"""Why a piece of SQL has no place in a condition, and what to write instead."""

from __future__ import annotations

import re

from sqlglot import exp

from sagacity.workflow.conditions.refusal import Refusal

__all__ = ["reason"]

_DIVISION = ("division is not exact", "multiply the other side: write a = 2 * b for a / 2 = b")
_CAST = ("casts are not admitted", "state the type where the attribute is captured, such as `as decimal`")
_PATTERN = ("regular expressions are not admitted", "use LIKE with % and _")
_QUERY = ("sub-queries are not admitted", "an `assert` has aggregates such as count(X) and sum(X.attr)")
_JOIN = ("text cannot be joined together", "compare the parts one by one")
_CLOCK = ("the verdict must not depend on when it is given", "write a time such as '2026-11-01T00:00Z'")
_DISTINCT = ("IS [NOT] DISTINCT FROM is not admitted", "write x = y OR (x IS NULL AND y IS NULL)")
_OVER = ("aggregates take no further clauses", "such as count(X) or sum(X.attr)")

_REASONS: dict[type[exp.Expr], tuple[str, str | None]] = {
    exp.Div: _DIVISION,
    exp.IntDiv: _DIVISION,
    exp.Mod: ("the remainder of a division is not admitted", None),
    exp.Pow: ("powers are not admitted", "write x * x"),
    exp.Cast: _CAST,
    exp.TryCast: _CAST,
    exp.ILike: ("ILIKE is not admitted", "write LOWER(x) LIKE 'a%'"),
    exp.RegexpLike: _PATTERN,
    exp.RegexpILike: _PATTERN,
    exp.SimilarTo: _PATTERN,
    exp.Glob: _PATTERN,
    exp.Escape: ("LIKE takes no ESCAPE", "% and _ always stand for any text and any character"),
    exp.Select: _QUERY,
    exp.Subquery: _QUERY,
    exp.Exists: _QUERY,
    exp.In: _QUERY,
    exp.DPipe: _JOIN,
    exp.Concat: _JOIN,
    exp.Case: ("CASE is not admitted", "write the cases with AND and OR"),
    exp.If: ("IF is not admitted", "write the cases with AND and OR"),
    exp.NullSafeEQ: _DISTINCT,
    exp.NullSafeNEQ: _DISTINCT,
    exp.CurrentDate: _CLOCK,
    exp.CurrentTime: _CLOCK,
    exp.CurrentTimestamp: _CLOCK,
    exp.Localtime: _CLOCK,
    exp.Localtimestamp: _CLOCK,
    exp.AtTimeZone: ("times are instants and have no zone", "give the offset in the constant: '2026-11-01T00:00+01:00'"),
    exp.Extract: ("parts of a date depend on the time zone", "compare whole times"),
    exp.Trim: ("TRIM takes one argument and strips spaces from both ends", None),
    exp.Between: ("BETWEEN SYMMETRIC is not admitted", None),
    exp.Distinct: ("DISTINCT is not admitted", None),
    exp.Filter: _OVER,
    exp.Window: _OVER,
    exp.Order: _OVER,
    exp.IgnoreNulls: _OVER,
    exp.RespectNulls: _OVER,
    exp.Star: ("`*` names no attribute", None),
    exp.Tuple: ("a list can only follow IN", None),
    exp.Placeholder: ("parameters have no value here", "write the constant itself"),
    exp.Parameter: ("parameters have no value here", "write the constant itself"),
}

_FUNCTIONS = "LOWER UPPER TRIM LENGTH ABS COALESCE, and in an `assert` COUNT FIRST LAST SUM MIN MAX"
_ADMITTED = frozenset(_FUNCTIONS.replace(",", "").lower().split()) - {"and", "in", "an", "`assert`"}
_CLOCKS = frozenset({"now", "today", "get_current_time", "transaction_timestamp", "clock_timestamp"})


def reason(node: exp.Expr) -> Refusal:
    """The refusal for a node that is not admitted, or not with these arguments."""
    if (known := _REASONS.get(type(node))) is not None:
        return Refusal(*known)
    shown = _shown(node)
    if call := re.match(r"(\w+)\(", shown):
        return _call(call[1].lower(), shown)
    return Refusal(f"`{shown}` is not admitted in a condition")


def _call(name: str, shown: str) -> Refusal:
    if name in _CLOCKS:
        return Refusal(*_CLOCK)
    if name in _ADMITTED:
        return Refusal(f"`{shown}` is not how {name}() is called", "it takes one argument")
    return Refusal(f"the function {name}() is not admitted", f"functions are {_FUNCTIONS}")


def _shown(node: exp.Expr) -> str:
    try:
        return node.sql(dialect="duckdb")
    except Exception:  # what cannot be admitted need not be printable either
        return node.key
