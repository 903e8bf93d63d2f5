"""Plans as PostgreSQL understands them.

Texts are of the "C" collation, so that they compare by code points whatever the database's own: the columns of `events`
are, and what is cast to text is made so.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.generators.postgres import PostgresGenerator

from sagacity.ledger.dialects import is_truth, short
from sagacity.plan.fill import Tree

__all__ = ["definition", "quoted", "rendered"]

_LONGEST = 63
"""Bytes of a name; what is longer would be cut short, and taken for another."""


def rendered(query: Tree) -> str:
    """The query's SQL."""
    return _Generator(dialect=Postgres, identify=True).generate(query)


def quoted(name: str) -> str:
    """A name as an identifier."""
    return rendered(exp.to_identifier(name, quoted=True))


def definition(sql_type: str) -> str:
    """A column's type, of those that `sagacity.plan.columns` has."""
    return 'text COLLATE "C"' if sql_type == "VARCHAR" else rendered(exp.DataType.build(sql_type, dialect="duckdb"))


def _cast(self: _Generator, node: exp.Cast) -> str:
    sql = self.cast_sql(node)
    return f'({sql} COLLATE "C")' if node.to.is_type(*exp.DataType.TEXT_TYPES) else sql


def _digest(self: _Generator, node: exp.SHA2) -> str:
    """The engine's function takes and gives bytes."""
    return f"(ENCODE(SHA256(CONVERT_TO({self.sql(node.this)}, 'UTF8')), 'hex') COLLATE \"C\")"


def _extreme(self: _Generator, node: exp.Max | exp.Min) -> str:
    """There is no least and no greatest of truth values; whether any and whether all are true is the same."""
    name = "MAX" if isinstance(node, exp.Max) else "MIN"
    if is_truth(node.this):
        name = {"MAX": "BOOL_OR", "MIN": "BOOL_AND"}[name]
    return self.func(name, node.this)


def _like(self: _Generator, node: exp.Like) -> str:
    """A backslash stands for itself."""
    return f"{self.like_sql(node)} ESCAPE ''"


def _named(self: _Generator, node: exp.Anonymous) -> str:
    name = str(node.this).upper()
    if name == "BIT_COUNT":  # it counts those of a string of bits
        return f"BIT_COUNT(CAST({self.sql(node.expressions[0])} AS BIT(64)))"
    if name == "LIST_POSITION":
        return self.func("ARRAY_POSITION", *node.expressions)
    return self.anonymous_sql(node)


class _Generator(PostgresGenerator):
    TRANSFORMS: ClassVar[dict[type[exp.Expr], Any]] = {
        **PostgresGenerator.TRANSFORMS,
        exp.Anonymous: _named,
        exp.Cast: _cast,
        exp.Like: _like,
        exp.Max: _extreme,
        exp.Min: _extreme,
        exp.SHA2: _digest,
    }

    def identifier_sql(self, expression: exp.Identifier) -> str:
        expression.set("this", short(expression.name, _LONGEST))
        return super().identifier_sql(expression)
