"""A server for the length of a demonstration: `sagacity serve`, as a process of its own on a free port of loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from sagacity.errors import SagacityError

__all__ = ["LOG", "serving"]

LOG = "server.log"
_LEDGER = "ledger"
_START_WITHIN = 90.0
_STOP_WITHIN = 20.0
_LOOK = 0.1


@contextmanager
def serving(workflow: Path, folder: Path) -> Iterator[str]:
    """The address of a server that judges by the workflow, ready, with a ledger that is empty. It is stopped at the end.

    What it logs goes to `server.log` in the folder. Raises SagacityError, with the end of the log, where it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / _LEDGER, ignore_errors=True)
    address = f"127.0.0.1:{_free_port()}"
    command = [sys.executable, "-m", "sagacity.cli.main", "serve", "--workflow", str(workflow)]
    command += ["--ledger", str(folder / _LEDGER), "--listen", address]
    with (folder / LOG).open("wb") as log:
        # In a session of its own, so that Ctrl-C reaches it by way of this process alone, once all is said.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(), start_new_session=True
        )
        try:
            _await(process, f"http://{address}", folder / LOG)
            yield f"http://{address}"
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _environment() -> dict[str, str]:
    """Without what would set the server up otherwise, such as tokens."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SAGACITY_")}


def _await(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    until = time.monotonic() + _START_WITHIN
    with httpx.Client(timeout=5.0, trust_env=False) as client:
        while time.monotonic() < until and process.poll() is None:
            try:
                if client.get(f"{address}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(_LOOK)
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
    raise SagacityError(
        "\n  ".join(["the server did not start; it said last:", *said]), hint=f"all that it said is in {log}"
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Asks it to end; insists where it does not, also when interrupted meanwhile."""
    try:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(_STOP_WITHIN)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
