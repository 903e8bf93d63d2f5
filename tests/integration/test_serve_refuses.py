"""`sagacity serve` with what cannot be: it says so before it makes or opens anything."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from live_story import ORDER
from sagacity.cli.main import run
from sagacity.cli.server.binding import bound
from sagacity.errors import UsageError

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "order.workflow.yaml").write_text(ORDER)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_port_in_use_is_refused_before_the_ledger_is_made(folder: Path, capsys: Printed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["serve", "--workflow", "order.workflow.yaml", "--listen", f"127.0.0.1:{port}"]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"error: 127.0.0.1:{port} is in use\n")
    assert "--listen 127.0.0.1:" in told.err
    assert told.out == ""
    assert not (folder / "ledger").exists()


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(UsageError, match=r"cannot listen on 192\.0\.2\.1:8420"):
        bound("192.0.2.1", 8420)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--workflow", "order.workflow.yaml", "--source", "ordres=orders.jsonl"], "no workflow names a source 'ordres'"),
        ([], "there is no workflow to judge by"),
        (["--sagas", "postgresql://127.0.0.1:1/sagas", "--kafka", "127.0.0.1:1"], "there is no workflow to judge by"),
        (["--sagas", "postgresql://127.0.0.1:1/sagas", "--source", "a=a.jsonl"], "there is no workflow to judge by"),
    ],
)
def test_a_mistake_in_the_options_is_refused_before_the_ledger_is_made(
    folder: Path, options: list[str], said: str, capsys: Printed
) -> None:
    assert run(["serve", "--listen", "127.0.0.1:0", *options]) == 2
    assert said in capsys.readouterr().err
    assert not (folder / "ledger").exists()


@pytest.mark.parametrize(
    "address", ["javascript:alert('{trace}')", "http://{trace}/", "http://traces/{span}", "https://traces/"]
)
def test_what_is_no_place_to_show_a_trace_is_refused(folder: Path, address: str, capsys: Printed) -> None:
    (folder / "server.yaml").write_text(f"workflows: order.workflow.yaml\nlisten: 127.0.0.1:0\ntraces: {address!r}\n")
    assert run(["serve", "--config", "server.yaml"]) == 2
    assert "is not where a trace is shown" in capsys.readouterr().err
    assert not (folder / "ledger").exists()
