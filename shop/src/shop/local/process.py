"""A service as a process: configured by environment alone, ready when it says so."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sagacity.testing.servers.server import Server
from sagacity.testing.servers.web import status_of
from shop.local.catalogue import Service

__all__ = ["ServiceProcess"]

_ALL = {
    "MALLOC_ARENA_MAX": "2",  # a thread more is not a heap more
    "PYTHONUNBUFFERED": "1",
    "PYTHONFAULTHANDLER": "1",
}


class ServiceProcess(Server):
    """One replica of a service. `told` are its own variables; the caller's environment goes along."""

    up_within = 120.0
    stop_within = 25.0

    def __init__(self, name: str, service: Service, folder: Path, port: int, told: Mapping[str, str], log: Path) -> None:
        super().__init__(name, folder, log=log)
        self.port = port
        self.told = dict(told)
        self._program = service.program or (sys.executable, "-m", f"shop.{service.name}")

    def command(self) -> Sequence[str]:
        return self._program

    def environment(self) -> Mapping[str, str]:
        return {**_ALL, **_inherited(), **self.told}

    def answers(self) -> bool:
        return status_of(f"http://127.0.0.1:{self.port}/readyz") == 200


def _inherited() -> dict[str, str]:
    """The caller's environment; what is relative in it to the caller's folder is made absolute, since this has another."""
    caller = dict(os.environ)
    if paths := caller.get("PYTHONPATH"):
        caller["PYTHONPATH"] = os.pathsep.join(str(Path(path).absolute()) for path in paths.split(os.pathsep) if path)
    return caller
