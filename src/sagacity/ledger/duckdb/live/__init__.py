"""The live ledger in a DuckDB file."""

from sagacity.ledger.duckdb.live.ledger import DuckDBLiveLedger

__all__ = ["DuckDBLiveLedger"]
