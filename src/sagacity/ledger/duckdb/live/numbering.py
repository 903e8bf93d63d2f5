"""Cases and records get numbers, so that what refers to them is narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagacity.ledger.duckdb.rows import first_row
from sagacity.workflow.trace import FOREVER

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["HIGHEST", "number_new"]

HIGHEST = "SELECT greatest(coalesce(max(n), 0), (SELECT taken FROM archive)) FROM record"
"""The highest number that a record ever had, whether or not it is here still."""


def number_new(connection: DuckDBPyConnection, cases: str) -> None:
    """Number the cases in `touched` that are not there yet, and keep them."""
    new = first_row(connection, "SELECT count(*) FROM touched WHERE c IS NULL")
    if not new or not new[0]:
        return
    last = first_row(connection, f"SELECT coalesce(max(c), 0) FROM {cases}")
    first = (int(last[0]) if last else 0) + 1
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE touched AS SELECT * REPLACE (
            coalesce(c, {first} - 1 + row_number() OVER (PARTITION BY c IS NULL)) AS c) FROM touched"""
    )
    connection.execute(
        f"""INSERT INTO {cases} SELECT c, case_id, 'open', FALSE, n, 0, first, last, NULL, {FOREVER}, NULL, NULL
            FROM touched WHERE c >= {first}"""
    )
