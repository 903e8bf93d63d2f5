"""Statements that are run again and again, parsed once: parsing a plan takes longer than running it over few cases."""

from __future__ import annotations

from functools import lru_cache

import duckdb

__all__ = ["parsed"]


@lru_cache(maxsize=512)
def parsed(sql: str) -> duckdb.Statement:
    """The one statement of a text, which any connection may run any number of times."""
    (statement,) = duckdb.extract_statements(sql)
    return statement
