"""The command line and the streams around it: full, closed, or stopped in the middle; never a traceback, nothing left."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sagacity.cli.main import run

WORKFLOW = """\
workflow: order
keys: [order]
sources:
  messages: {path: events.jsonl, key: order}
events: {OrderPlaced: , ItemShipped: }
timeout: 14d
expect: {OrderPlaced: once}
"""
SAGACITY = (sys.executable, "-m", "sagacity.cli.main")
EVENT = '{"id": "e1", "type": "OrderPlaced", "time": "2026-11-01T09:00:00Z", "order": "122"}\n'


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "order.yaml").write_text(WORKFLOW)
    (tmp_path / "events.jsonl").write_text(EVENT)
    return tmp_path


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", [("check", "order.yaml"), ("schema",), ("--help",)])
def test_a_full_disk_behind_standard_output_is_said(here: Path, command: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        said = subprocess.run([*SAGACITY, *command], cwd=here, stdout=full, stderr=subprocess.PIPE, text=True)
    assert said.returncode == 3
    assert said.stderr.startswith(f"error: cannot write: {os.strerror(errno.ENOSPC)}")
    assert "Traceback" not in said.stderr


@pytest.mark.skipif(os.name != "posix", reason="shells of POSIX close streams")
def test_a_closed_standard_output_is_no_mistake(here: Path) -> None:
    command = '"$0" -m sagacity.cli.main check order.yaml --as-of 2026-11-10T00:00Z >&-'
    said = subprocess.run(["sh", "-c", command, sys.executable], cwd=here, capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_check_that_is_stopped_leaves_no_temporary_files(here: Path, stop: signal.Signals) -> None:
    """It waits for standard input, from which a record has come already: the check is on its way."""
    temporary = here / "temporary"
    temporary.mkdir()
    running = subprocess.Popen(
        [*SAGACITY, "check", "order.yaml", "--source", "-"],
        cwd=here,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdin
    try:
        for _ in range(3000):  # more than a pipe holds: written in full only once the check reads
            running.stdin.write(EVENT.encode())
        running.stdin.flush()
        running.send_signal(stop)
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()
    assert (running.returncode, out, err) == (130, b"", b"")
    assert list(temporary.iterdir()) == []


def test_a_check_that_is_stopped_within_the_engine_is_no_mistake_either(capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(_: object) -> int:
        raise RuntimeError("Query interrupted")

    assert run([], invoke=stopped) == 130
    assert capsys.readouterr().err == ""


def test_a_stream_that_is_said_to_take_plain_letters_only_gets_the_report_all_the_same(here: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [*SAGACITY, "check", "order.yaml", "--as-of", "end"]
    said = subprocess.run(command, cwd=here, env=environment, capture_output=True, encoding="utf-8")
    assert (said.returncode, said.stderr) == (0, "")
    assert "█ complete 1" in said.stdout
