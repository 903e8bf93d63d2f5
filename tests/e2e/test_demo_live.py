"""`sagacity demo --live`, as a user runs it: its pages are there while it runs, and nothing of it is left afterwards."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

COMMAND = [sys.executable, "-m", "sagacity.cli.main", "demo", "--orders", "100", "--live", "--out", "out"]
FEW = [*COMMAND, "--seconds", "2"]


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    yield from process.stdout


def _address(lines: Iterator[str]) -> str:
    return next(found[1] for line in lines if (found := re.match(r"Pages at (http://127\.0\.0\.1:\d+)/", line)))


def _nobody_answers(address: str) -> bool:
    try:
        httpx.get(f"{address}/healthz", timeout=30, trust_env=False)
    except httpx.TransportError:
        return True
    return False


def test_what_is_planted_is_found_live_and_the_pages_show_it(tmp_path: Path) -> None:
    with subprocess.Popen(FEW, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines = _lines(process)
        address = _address(lines)
        page = httpx.get(f"{address}/", trust_env=False, timeout=60)
        told = "".join(lines)
    assert process.returncode == 0, told
    assert (page.status_code, "Overview" in page.text) == (200, True)
    live = told.partition("Planted and found live")[2]
    for outcome in ("duplicate", "late", "mismatch", "missing", "out of order", "resolved", "redelivered"):
        assert f"✓ {outcome}" in live
    assert "Every fault was found, and nothing else." in live
    assert re.search(r"planted +order 123  of \$4.50", told)
    assert re.search(r"opened +order 123  missing: ItemShipped", told)
    assert re.search(r"resolved +order \d+  ItemShipped within 5s of PaymentReceived: it holds after all", told)
    assert f"case 123 --server {address}" in told
    assert f"{address}/ingest/orders" in told
    assert _nobody_answers(address)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda stop: stop.name)
def test_stopped_midway_it_leaves_no_server_behind(tmp_path: Path, stop: signal.Signals) -> None:
    with subprocess.Popen([*COMMAND, "--seconds", "600"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        address = _address(_lines(process))
        process.send_signal(stop)
        assert process.wait(timeout=60) == 130
    assert _nobody_answers(address)


def test_on_a_terminal_the_server_stays_up_until_it_is_told_to_stop(tmp_path: Path) -> None:
    mine, its = pty.openpty()
    process = subprocess.Popen(FEW, cwd=tmp_path, stdin=its, stdout=its, stderr=its, env={**os.environ, "TERM": "dumb"})
    os.close(its)
    try:
        with open(mine, encoding="utf-8", errors="replace", newline="") as terminal:  # noqa: PTH123
            lines = (line.replace("\r", "") for line in terminal)
            address = _address(lines)
            assert any("The server stays up" in line for line in lines)
            assert httpx.get(f"{address}/findings", trust_env=False, timeout=60).status_code == 200
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
    assert _nobody_answers(address)


def test_where_the_server_is_not_installed_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    without = "import sys; sys.modules['litestar'] = None; from sagacity.cli.main import main; main()"
    command = [sys.executable, "-c", without, *FEW[3:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "The same shop live is left out: this needs litestar, not installed here." in done.stdout
    assert "pip install '.[serve]' in a clone" in done.stdout
