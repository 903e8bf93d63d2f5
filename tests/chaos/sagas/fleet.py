"""The processes of a campaign and its two servers: started, killed at random, started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sagacity.messaging.postgres.schema import MESSAGING, upgrade
from sagacity.saga.postgres.schema import PARTICIPANT, SAGAS
from sagacity.testing.servers.kafka import KAFKA, Broker, prepare_broker
from sagacity.testing.servers.postgres import PostgreSQL, prepare_postgres
from sagacity.testing.servers.unavailable import UnavailableError

from .role import Setup
from .shop import DEAD, EFFECTS, EVENTS, MENDED, PARTICIPANTS, PURCHASES, REPLIES

__all__ = ["NAMES", "TOPICS", "Fleet", "MissingError", "fleet"]

NAMES = ("orchestrator-1", "orchestrator-2", "relay-1", "relay-2", *PARTICIPANTS, "starter")
TOPICS = {PURCHASES: 4, REPLIES: 4, EVENTS: 2, DEAD: 1, **dict.fromkeys(PARTICIPANTS, 3)}
_ROOT = Path(__file__).resolve().parents[3]


class MissingError(RuntimeError):
    """A server that the campaign needs cannot be had here."""


class Fleet:
    """Everything that runs. `killed` counts, by name, what was killed or restarted."""

    def __init__(self, setup: Setup, postgres: PostgreSQL, broker: Broker) -> None:
        self.setup = setup
        self.postgres = postgres
        self.broker = broker
        self.killed: Counter[str] = Counter()
        self.folder = Path(setup.folder)
        self._told = self.folder / "setup.json"
        self._told.write_bytes(msgspec.json.encode(setup))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        """Start these processes, unless they run."""
        for name in names:
            process = self._processes.get(name)
            if process is not None and process.poll() is None:
                continue
            command = [sys.executable, "-m", "tests.chaos.sagas.role", str(self._told), name]
            with (self.folder / f"{name}.log").open("ab") as log:
                self._processes[name] = subprocess.Popen(
                    command, cwd=_ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ}
                )

    def kill(self, *names: str) -> None:
        """SIGKILL."""
        for name in names:
            self._processes[name].kill()
            self.killed[name] += 1
        for name in names:
            self._processes[name].wait()

    def freeze(self, name: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after so many seconds: longer than its session, so that others have taken its place."""
        process = self._processes[name]
        process.send_signal(signal.SIGSTOP)
        self.killed[f"{name} (frozen)"] += 1
        try:
            time.sleep(seconds)
        finally:
            process.send_signal(signal.SIGCONT)

    def foreign(self) -> int:
        """How many replies orchestrators have ignored as foreign, as far as they could note it."""
        return sum(int(noted.read_text() or 0) for noted in self.folder.glob("*.foreign"))

    def kill_all(self) -> None:
        """SIGKILL for every process that runs, and for both servers."""
        running = [name for name, process in self._processes.items() if process.poll() is None]
        for name in running:
            self._processes[name].kill()
        self.broker.kill()
        self.postgres.kill()
        for name in running:
            self._processes[name].wait()

    def crash_database(self) -> None:
        """As a crash would stop it: whoever is connected is cut off, and the next start recovers from the log."""
        self.postgres.kill()
        self.killed["PostgreSQL"] += 1
        self.postgres.start()

    def restart_broker(self) -> None:
        self.broker.stop()
        self.killed["broker"] += 1
        self.broker.start()

    def fallen(self) -> list[str]:
        """Processes that ended though nobody killed them, with their last words."""
        return [
            f"{name} ended by itself:\n{self.last_words(name)}"
            for name, process in self._processes.items()
            if process.poll() not in (None, -signal.SIGKILL)
        ]

    def last_words(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_bytes()[-3_000:].decode(errors="replace")

    def end(self) -> None:
        """Leave none of the processes running."""
        for process in self._processes.values():
            if process.poll() is None:
                process.kill()
        for process in self._processes.values():
            process.wait()


@contextlib.contextmanager
def fleet(folder: Path, seed: int, sagas: int, rate: float, **told: Any) -> Iterator[Fleet]:
    """Both servers, with databases and topics; no process runs yet. `told` is what else a Setup says. Raises MissingError
    where a server cannot be had."""
    try:
        binaries, kind = prepare_postgres(), prepare_broker()
    except UnavailableError as missing:
        raise MissingError(str(missing)) from missing
    if kind != KAFKA:
        raise MissingError(f"the campaign needs {KAFKA}; here is {kind}")
    (folder / "broker").mkdir(parents=True)
    postgres, broker = PostgreSQL(binaries), Broker(kind, folder / "broker")
    with contextlib.ExitStack() as stack:
        stack.callback(postgres.remove)
        postgres.start()
        stack.callback(broker.stop)
        broker.start()
        admin = AdminClient({"bootstrap.servers": broker.servers, "log_level": 0})
        for made in admin.create_topics([NewTopic(name, many, 1) for name, many in TOPICS.items()]).values():
            made.result(60)
        databases = {name: _database(postgres, name) for name in ("sagas", *PARTICIPANTS)}
        running = Fleet(Setup(seed, sagas, rate, broker.servers, databases, str(folder), **told), postgres, broker)
        stack.callback(running.end)
        yield running


def _database(postgres: PostgreSQL, name: str) -> str:
    with psycopg.connect(postgres.dsn(), autocommit=True) as admin:
        admin.execute(f"create database {name}".encode())
    components = (MESSAGING, SAGAS if name == "sagas" else PARTICIPANT)
    statements = [statement for each in components for statement in upgrade(each, 0)]
    statements += [] if name == "sagas" else [EFFECTS, MENDED]
    with psycopg.connect(postgres.dsn(name)) as connection:
        for statement in statements:
            connection.execute(statement.encode())
    return postgres.dsn(name)
