"""Learning from history in DuckDB: the port of `sagacity.ledger.mining`."""

from sagacity.ledger.duckdb.mining.miner import DuckDBMining

__all__ = ["DuckDBMining"]
