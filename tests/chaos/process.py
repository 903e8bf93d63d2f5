"""A `sagacity serve` of its own: started on a ledger, killed, started again on the same."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["ServeProcess", "free_port"]

_UP_WITHIN = 90.0
_STOP_WITHIN = 60.0


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class ServeProcess:
    """The process, by its folder and port. What it prints goes to `serve.log` in that folder."""

    def __init__(self, folder: Path, port: int, options: Sequence[str]) -> None:
        self.folder = folder
        self.port = port
        self._options = tuple(options)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "sagacity.cli.main", "serve", "--listen", f"127.0.0.1:{self.port}", *self._options]
        with (self.folder / "serve.log").open("ab") as log:
            environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def until_ready(self) -> None:
        """Wait until it takes records in. Raises RuntimeError with its last words where it ends by itself, or never does."""
        limit = time.monotonic() + _UP_WITHIN
        while time.monotonic() < limit:
            if not self.alive:
                raise RuntimeError(f"the server ended by itself:\n{self.last_words()}")
            if self.asked("/readyz")[0] == 200:
                return
            time.sleep(0.03)
        raise RuntimeError(f"the server was not ready within {_UP_WITHIN:.0f} s:\n{self.last_words()}")

    def asked(self, path: str) -> tuple[int, Any]:
        """The answer to a GET: its code, 0 where there was none, and its JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else None
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """End it as an operator would; its exit code. One that does not end is killed, and RuntimeError raised."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(_STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"the server did not end by itself:\n{self.last_words()}") from None

    def end(self) -> None:
        """Leave nothing running."""
        if self.alive:
            self.kill()

    def last_words(self) -> str:
        return (self.folder / "serve.log").read_bytes()[-4_000:].decode(errors="replace")
