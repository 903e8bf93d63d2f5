"""Plans as ClickHouse understands them.

Its whole numbers have a sign or none, and it mixes the two unwillingly: what counts is made a 64-bit integer with a sign, as
everywhere else. Functions on texts are those that count characters, not bytes.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.generators.clickhouse import ClickHouseGenerator

from sagacity.ledger.dialects import lists_side_by_side, named_columns, scale_of
from sagacity.plan.fill import Tree

__all__ = ["rendered"]

_SMALL = 2**31


def rendered(query: Tree) -> str:
    """The query's SQL."""
    tree = query.copy()
    for select, lists in lists_side_by_side(tree):
        _walk_together(select, lists)
    named_columns(tree)
    return _Generator(dialect=ClickHouse, identify=True).generate(tree, copy=False)


def _walk_together(select: exp.Select, lists: list[exp.Alias]) -> None:
    """Rows of lists that are zipped into one."""
    zipped = exp.Anonymous(this="arrayZip", expressions=[told.this.this.copy() for told in lists])
    together = exp.alias_(exp.Anonymous(this="arrayJoin", expressions=[zipped]), "told$")
    others = [told.copy() for told in select.expressions if told not in lists]
    inner = exp.select(*others, together).from_(select.args["from_"].this.copy())
    parts = [
        exp.alias_(
            exp.Anonymous(this="tupleElement", expressions=[exp.column("told$"), exp.Literal.number(place)]), told.alias
        )
        for place, told in enumerate(lists, 1)
    ]
    select.set("expressions", [exp.column(told.alias_or_name) for told in others] + parts)
    select.set("from_", exp.From(this=inner.subquery("zipped")))


def _count(self: _Generator, node: exp.Count) -> str:
    sql = f"COUNT({'DISTINCT ' if isinstance(node.this, exp.Distinct) else ''}{self._counted(node)})"
    return sql if isinstance(node.parent, exp.Filter | exp.Window) else f"toInt64({sql})"


def _filter(self: _Generator, node: exp.Filter) -> str:
    sql = self.filter_sql(node)
    return f"toInt64({sql})" if isinstance(node.this, exp.Count) and not isinstance(node.parent, exp.Window) else sql


def _window(self: _Generator, node: exp.Window) -> str:
    sql = self.window_sql(node)
    return f"toInt64({sql})" if isinstance(node.this, exp.RowNumber | exp.DenseRank | exp.Count) else sql


def _extreme(self: _Generator, node: exp.Max | exp.Min) -> str:
    """Of a frame without rows there is none; of what can be none, that is."""
    sql = self.sql(node.this)
    name = "MAX" if isinstance(node, exp.Max) else "MIN"
    return f"{name}(toNullable({sql}))" if isinstance(node.parent, exp.Window) else f"{name}({sql})"


def _number(self: _Generator, node: exp.Literal) -> str:
    sql = self.literal_sql(node)
    return f"toInt64({sql})" if node.is_int and int(node.this) >= _SMALL else sql


def _cast(self: _Generator, node: exp.Cast) -> str:
    scale = scale_of(node.this)
    if scale and node.to.is_type(*exp.DataType.TEXT_TYPES):  # with all of its digits, as elsewhere
        return f"toDecimalString({self.sql(node.this)}, {scale})"
    return self.cast_sql(node)


def _digest(self: _Generator, node: exp.SHA2) -> str:
    return f"lower(hex(SHA256({self.sql(node.this)})))"


def _joined(self: _Generator, node: exp.ConcatWs) -> str:
    between, *texts = node.expressions
    told = ", ".join(f"toString({self.sql(text)})" for text in texts)
    return f"concatWithSeparator({self.sql(between)}, {told})"


def _like(self: _Generator, node: exp.Like) -> str:
    """A backslash stands for itself."""
    pattern = f"replaceAll({self.sql(node.expression)}, '\\\\', '\\\\\\\\')"
    return f"like({self.sql(node.this)}, {pattern})"


_NAMED = {"BIT_COUNT": "bitCount"}


def _named(self: _Generator, node: exp.Anonymous) -> str:
    name = str(node.this).upper()
    if name == "LIST_POSITION":
        return f"nullIf({self.func('indexOf', *node.expressions)}, 0)"
    return self.func(_NAMED[name], *node.expressions) if name in _NAMED else self.anonymous_sql(node)


class _Generator(ClickHouseGenerator):
    TRANSFORMS: ClassVar[dict[type[exp.Expr], Any]] = {
        **ClickHouseGenerator.TRANSFORMS,
        exp.Anonymous: _named,
        exp.BitLength: lambda self, node: f"(length({self.sql(node.this)}) * 8)",
        exp.BitwiseAnd: lambda self, node: self.func("bitAnd", node.this, node.expression),
        exp.BitwiseLeftShift: lambda self, node: self.func("bitShiftLeft", node.this, node.expression),
        exp.Cast: _cast,
        exp.ConcatWs: _joined,
        exp.Count: _count,
        exp.Filter: _filter,
        exp.FirstValue: lambda self, node: self.func("first_value_respect_nulls", node.this, normalize=False),
        exp.Like: _like,
        exp.Literal: _number,
        exp.Max: _extreme,
        exp.Min: _extreme,
        exp.SHA2: _digest,
        exp.Substring: lambda self, node: self.func("substringUTF8", node.this, node.args["start"], node.args["length"]),
        exp.Translate: lambda self, node: self.func(
            "translate", node.this, node.args["from_"], node.args["to"], normalize=False
        ),
        exp.Window: _window,
    }

    def _counted(self, node: exp.Count) -> str:
        counted = node.this
        return self.expressions(counted, flat=True) if isinstance(counted, exp.Distinct) else self.sql(counted)
