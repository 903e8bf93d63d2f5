"""What every test run says at its end: which real parts took part in it."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kafka_server import Broker, broker_at_hand, prepare
from postgres_server import PostgreSQL, described, postgres_at_hand, prepare_postgres

ROOT = Path(__file__).resolve().parent.parent


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    parts = {
        "chromium": shutil.which("chromium") is not None,
        "../shared/data": (ROOT.parent / "shared" / "data").is_dir(),
        "rustxes (another reader of XES)": importlib.util.find_spec("rustxes") is not None,
        "data frames (pyarrow, pandas, polars)": all(map(importlib.util.find_spec, ("pyarrow", "pandas", "polars"))),
    }
    terminalreporter.section("real parts that took part")
    for part, present in parts.items():
        terminalreporter.write_line(f"{part}: {'yes' if present else 'no'}")
    terminalreporter.write_line(f"broker of Kafka's protocol: {broker_at_hand() or 'no'}")
    terminalreporter.write_line(f"database: {described(postgres_at_hand()) or 'no'}")


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's own folder."""
    return ROOT


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running broker, one for each worker. A test that stops it starts it again."""
    kind = prepare()
    if kind is None:
        pytest.skip("no broker of Kafka's protocol can be had: neither Java with Maven, nor Tansu")
    running = Broker(kind, tmp_path_factory.mktemp("broker"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A running PostgreSQL, one for each worker. A test that stops it starts it again."""
    binaries = prepare_postgres()
    if binaries is None:
        pytest.skip("no PostgreSQL can be had: neither the machine's own, nor the package")
    server = PostgreSQL(binaries)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def database(postgres: PostgreSQL) -> Iterator[str]:
    """An empty database of the test's own: its dsn."""
    with postgres.database() as dsn:
        yield dsn
