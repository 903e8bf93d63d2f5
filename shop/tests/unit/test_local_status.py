"""What the commands of the local stack say: of processes that stand still, of other folders, and in whole lines."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shop.local.command import main
from shop.local.seen import identity
from shop.local.state import Process, State, write

FAR = "127.0.0.1:5432  databases " + ", ".join(f"database-{number}" for number in range(20))


@pytest.fixture
def order(tmp_path: Path) -> Iterator[Process]:
    """A part that runs, in the state of a stack that lives."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        pid = process.pid
        part = Process(name="order", condition="ready", pid=pid, identity=identity(pid), where=FAR, crash=signal.SIGTERM)
        parts = (part, Process(name="payment", condition="restarting"))
        write(tmp_path, State(pid=os.getpid(), identity=identity(os.getpid()), parts=parts))
        yield part
        process.kill()


def said(capsys: pytest.CaptureFixture[str], *arguments: str, folder: Path) -> tuple[int, str]:
    code = main([*arguments, "--data", str(folder)])
    return code, capsys.readouterr().out


def of(part: str, text: str) -> str:
    [line] = [line for line in text.splitlines() if line.split()[:1] == [part]]
    return line


def test_a_frozen_part_is_not_called_ready_until_it_is_thawed(
    order: Process, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "freeze", "order", folder=tmp_path) == (0, f"order ({order.pid}): freeze\n")
    code, text = said(capsys, "status", folder=tmp_path)
    assert (code, of("order", text).split()[1]) == (1, "frozen")
    assert said(capsys, "freeze", "order", folder=tmp_path) == (1, f"order ({order.pid}) is frozen already\n")
    assert said(capsys, "thaw", "order", folder=tmp_path) == (0, f"order ({order.pid}): thaw\n")
    assert of("order", said(capsys, "status", folder=tmp_path)[1]).split()[1] == "ready"


def test_what_was_never_frozen_is_not_thawed(order: Process, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "thaw", "order", folder=tmp_path) == (1, f"order ({order.pid}) is not frozen\n")


def test_a_frozen_part_can_be_killed(order: Process, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By a signal that a process must do something about, too."""
    said(capsys, "freeze", "order", folder=tmp_path)
    assert said(capsys, "kill", "order", folder=tmp_path)[0] == 0
    assert order.pid is not None
    watched = os.pidfd_open(order.pid)
    try:
        assert select.select([watched], [], [], 30)[0]
    finally:
        os.close(watched)
    assert not order.lives


def test_a_part_without_a_process_says_so(order: Process, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del order
    assert said(capsys, "kill", "payment", folder=tmp_path) == (1, "payment has no process now: it is restarting\n")


def test_what_is_piped_has_one_line_for_each_part(
    order: Process, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = said(capsys, "status", folder=tmp_path)
    assert FAR in of("order", text)
    assert str(order.pid) in of("order", text)


@pytest.mark.parametrize("arguments", [["status"], ["logs"], ["logs", "order"], ["kill", "order"], ["down"]])
def test_where_nothing_runs_the_folder_is_named_and_how_to_name_another(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(capsys, *arguments, folder=tmp_path)
    assert code == {"status": 3, "down": 0}.get(arguments[0], 1)
    [line] = text.splitlines()
    assert str(tmp_path) in line
    assert "--data FOLDER" in line


def test_a_part_that_is_gone_at_the_first_signal_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody has to wait for who has ended
    try:
        for _ in range(20):
            gone = subprocess.Popen(["sleep", "600"])
            part = Process(name="order", condition="ready", pid=gone.pid, identity=identity(gone.pid), crash=signal.SIGKILL)
            write(tmp_path, State(pid=os.getpid(), identity=identity(os.getpid()), parts=(part,)))
            assert said(capsys, "kill", "order", folder=tmp_path) == (0, f"order ({gone.pid}): kill\n")
            gone.wait(timeout=30)
    finally:
        signal.signal(signal.SIGCHLD, before)
