"""The engine writes nothing of its own to standard output, however long a query lasts."""

from __future__ import annotations

from pathlib import Path

from archive_site import Site
from sagacity.ledger.duckdb.mining import DuckDBMining

_SAID = "SELECT current_setting('enable_progress_bar_print')"


def test_a_history_ledger_prints_no_bar() -> None:
    mining = DuckDBMining(threads=1)
    try:
        assert mining.ledger.connection.execute(_SAID).fetchall() == [(False,)]
    finally:
        mining.close()


def test_a_live_ledger_prints_no_bar(tmp_path: Path) -> None:
    site = Site(tmp_path / "ledger")
    try:
        with site.ledger._store.reading() as connection:
            assert connection.execute(_SAID).fetchall() == [(False,)]
    finally:
        site.close()
