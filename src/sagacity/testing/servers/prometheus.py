"""A real Prometheus, where the machine has one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from sagacity.testing.servers.ports import free_ports
from sagacity.testing.servers.server import Server
from sagacity.testing.servers.web import status_of

__all__ = ["Prometheus", "prometheus_at_hand"]


class Prometheus(Server):
    """Asks each target for its metrics every five seconds. `targets` are addresses (`host:port`) by job."""

    def __init__(
        self,
        program: Path,
        targets: Mapping[str, Sequence[str]],
        folder: Path | None = None,
        *,
        port: int | None = None,
        log: Path | None = None,
    ) -> None:
        super().__init__("prometheus", folder, log=log)
        self.port = port or free_ports(1)[0]
        self._program = program
        self._targets = targets

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        jobs = [{"job_name": job, "static_configs": [{"targets": [*each]}]} for job, each in self._targets.items()]
        written = {"global": {"scrape_interval": "5s"}, "scrape_configs": jobs}
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(written, sort_keys=False))

    def command(self) -> Sequence[str]:
        return [
            str(self._program),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            "--storage.tsdb.retention.time=1d",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]

    def answers(self) -> bool:
        return status_of(f"{self.url}/-/ready") == 200


def prometheus_at_hand() -> Path | None:
    """The machine's own program, None where it has none: no package is known that brings it."""
    found = shutil.which("prometheus")
    return Path(found) if found else None
