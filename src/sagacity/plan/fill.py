"""SQL text with `:placeholders` into expression trees.

Queries are written as SQL that a person can read; the values that vary are trees put in their place, never text. A
placeholder's name must not be a keyword.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import sqlglot
from sqlglot import exp

__all__ = ["Tree", "all_of", "any_of", "column", "fill", "literal", "union_all"]

Tree: TypeAlias = exp.Expr


@lru_cache(maxsize=512)
def _parsed(text: str) -> Tree:
    return sqlglot.parse_one(text, dialect="duckdb")


def fill(text: str, /, **values: Tree | str | int | bool | None) -> Tree:
    """The tree of `text` with each placeholder replaced by a tree or, for plain values, a literal."""
    root = _parsed(text).copy()
    placeholders = list(root.find_all(exp.Placeholder))
    for placeholder in placeholders:
        value = literal(values[placeholder.name])
        if placeholder is root:
            return value
        placeholder.replace(value)
    return root


def literal(value: Tree | str | int | bool | None) -> Tree:
    """A plain value as a literal; a tree as itself (a copy, where it already stands in another), parenthesised at need."""
    if not isinstance(value, exp.Expr):
        return exp.convert(value)
    tree = value if value.parent is None else value.copy()
    if isinstance(tree, exp.Query):
        return exp.Subquery(this=tree)
    atoms = (exp.Column, exp.Literal, exp.Func, exp.Paren, exp.Boolean, exp.Null, exp.Placeholder, exp.Table, exp.Subquery)
    return tree if isinstance(tree, atoms) and not isinstance(tree, exp.Connector) else exp.Paren(this=tree)


def column(name: str, table: str | None = None) -> Tree:
    """A column, quoted as it needs to be."""
    return exp.column(exp.to_identifier(name, quoted=not name.isidentifier()), table=table)


def all_of(*conditions: Tree) -> Tree:
    """The conjunction; true where there is nothing to join."""
    return _joined(exp.And, conditions) if conditions else exp.true()


def any_of(*conditions: Tree) -> Tree:
    """The disjunction; false where there is nothing to join."""
    return _joined(exp.Or, conditions) if conditions else exp.false()


def _joined(connector: type[exp.Connector], conditions: tuple[Tree, ...]) -> Tree:
    joined, *rest = (literal(condition) for condition in conditions)
    for condition in rest:
        joined = connector(this=joined, expression=condition)
    return exp.Paren(this=joined) if rest else joined


def union_all(queries: list[Tree]) -> Tree:
    """The rows of all queries, balanced so that many of them do not nest deep."""
    if len(queries) == 1:
        return queries[0]
    middle = len(queries) // 2
    return exp.union(union_all(queries[:middle]), union_all(queries[middle:]), distinct=False, copy=False)
