"""Real servers for all tests, each started once for a worker; and what a test run says at its end."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from sagacity.testing.servers.kafka import Broker, broker_at_hand, prepare_broker
from sagacity.testing.servers.postgres import PostgreSQL, described, postgres_at_hand, prepare_postgres
from sagacity.testing.servers.redis import RedisCluster, prepare_redis, redis_at_hand
from sagacity.testing.servers.unavailable import UnavailableError

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
    terminalreporter.write_line(f"Redis with filters: {'yes' if redis_at_hand() else 'no'}")


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's own folder."""
    return ROOT


class _Startable(Protocol):
    def start(self) -> None: ...

    def remove(self) -> None: ...


S = TypeVar("S", bound=_Startable)


@contextmanager
def at_hand(make: Callable[[], S]) -> Iterator[S]:
    """A server for as long as tests run; where it cannot be had, they are skipped by name."""
    try:
        server = make()
    except UnavailableError as missing:
        pytest.skip(str(missing))
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running broker, one for each worker. A test that stops it starts it again."""
    with at_hand(lambda: Broker(prepare_broker(), tmp_path_factory.mktemp("broker"))) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A running PostgreSQL, one for each worker. A test that stops it starts it again."""
    with at_hand(lambda: PostgreSQL(prepare_postgres())) as server:
        yield server


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[RedisCluster]:
    """A running cluster of six nodes, one for each worker. A test that stops a node starts it again."""
    with at_hand(lambda: RedisCluster(prepare_redis())) as server:
        yield server


@pytest.fixture
def database(postgres: PostgreSQL) -> Iterator[str]:
    """An empty database of the test's own: its dsn."""
    with postgres.database() as dsn:
        yield dsn
