"""Plans as Spark understands them."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.generators.spark import SparkGenerator

from sagacity.ledger.dialects import lists_side_by_side
from sagacity.plan.fill import Tree

__all__ = ["rendered"]


def rendered(query: Tree) -> str:
    """The query's SQL."""
    tree = query.copy()
    for select, lists in lists_side_by_side(tree):
        _walk_together(select, lists)
    return _Generator(dialect=Spark, identify=True).generate(tree, copy=False)


def _walk_together(select: exp.Select, lists: list[exp.Alias]) -> None:
    """Rows of lists that are zipped into one."""
    zipped = exp.Anonymous(this="ARRAYS_ZIP", expressions=[told.this.this.copy() for told in lists])
    rows = exp.Anonymous(this="INLINE", expressions=[zipped])
    named = exp.Aliases(this=rows, expressions=[exp.to_identifier(told.alias) for told in lists])
    others = [told for told in select.expressions if told not in lists]
    select.set("expressions", [*others, named])


def _window(self: _Generator, node: exp.Window) -> str:
    """Rows are numbered in an order alone. Where any will do, they are told apart without bringing them to one place."""
    if isinstance(node.this, exp.RowNumber) and not node.args.get("order"):
        if not node.args.get("partition_by"):
            return "MONOTONICALLY_INCREASING_ID()"
        node.set("order", exp.Order(expressions=[exp.Literal.number(1)]))
    return self.window_sql(node)


def _joined(self: _Generator, node: exp.ConcatWs) -> str:
    between, *texts = node.expressions
    told = ", ".join(f"CAST({self.sql(text)} AS STRING)" for text in texts)
    return f"CONCAT_WS({self.sql(between)}, {told})"


def _like(self: _Generator, node: exp.Like) -> str:
    """A backslash stands for itself."""
    return f"{self.sql(node.this)} LIKE REPLACE({self.sql(node.expression)}, '\\\\', '\\\\\\\\')"


def _named(self: _Generator, node: exp.Anonymous) -> str:
    if str(node.this).upper() == "LIST_POSITION":
        return f"NULLIF({self.func('ARRAY_POSITION', *node.expressions)}, 0)"
    return self.anonymous_sql(node)


class _Generator(SparkGenerator):
    TRANSFORMS: ClassVar[dict[type[exp.Expr], Any]] = {
        **SparkGenerator.TRANSFORMS,
        exp.Anonymous: _named,
        exp.ConcatWs: _joined,
        exp.Like: _like,
        exp.Window: _window,
    }
