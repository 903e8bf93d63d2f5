"""`sagacity alerts`: whether channels can be reached, where a finding would go, and what is refused."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from fakes.receiver import answering, receiver
from live_story import ORDER
from sagacity.cli.main import run

WRITTEN = "whsec_" + base64.b64encode(b"a secret of enough bytes for this").decode()
CONFIG = """
channels:
  hook: {kind: webhook, url_env: HOOK_URL, secret_env: HOOK_SECRET}
  journal: {kind: log}
routes:
  - {owner: payments, channels: [hook], escalate: [{after: 1h, channels: [journal]}], kinds: [opened]}
default: {channels: [journal]}
"""


def test_the_command_tests_channels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "server.yaml"
    config.write_text(CONFIG)
    with receiver([answering(403, b"no")]) as to:
        assert run(["alerts", "test", str(config), "--channel", "hook"]) == 1
        assert "HOOK_SECRET is not set" in capsys.readouterr().out
        monkeypatch.setenv("HOOK_URL", to.url)
        monkeypatch.setenv("HOOK_SECRET", WRITTEN)
        assert run(["alerts", "test", str(config), "--channel", "hook"]) == 1
        assert capsys.readouterr().out == "hook: answered 403: no\n"
        assert run(["alerts", "test", str(config)]) == 0
        assert capsys.readouterr().out.splitlines()[0] == "hook: sent"
    assert run(["alerts", "test", str(config), "--channel", "hock"]) == 2
    assert "there is no channel 'hock'" in capsys.readouterr().err


def test_the_command_shows_where_a_finding_would_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "server.yaml"
    config.write_text(CONFIG)
    assert run(["alerts", "check", str(config), "--owner", "payments"]) == 0
    said = capsys.readouterr().out
    assert "A finding of owner payments, severity error, workflow any takes routes[0]:" in said
    assert "opened    hook                 now" in said
    assert "escalation 1, " in said
    assert "not told: the route carries no notices of kind resolved" in said
    assert run(["alerts", "check", str(config)]) == 0
    assert "A finding of no owner, severity error, workflow any takes default:" in capsys.readouterr().out
    config.write_text("channels: {}")
    assert run(["alerts", "check", str(config)]) == 2
    assert "has no default" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("latenes: 5s", "there is no setting 'latenes'; did you mean 'lateness'?"),
        ("kafka: {servers: 'x:1', topic: {}}", "kafka: there is no setting 'topic'; did you mean 'topics'?"),
        ("lateness: soon", "lateness: "),
    ],
)
def test_the_command_refuses_the_file_that_a_server_refuses(
    tmp_path: Path, line: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOOK_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("HOOK_SECRET", WRITTEN)
    config, workflow = tmp_path / "server.yaml", tmp_path / "order.workflow.yaml"
    workflow.write_text(ORDER)
    config.write_text("alerts:" + CONFIG.replace("\n", "\n  ") + "\n")
    assert run(["alerts", "check", str(config)]) == 0
    capsys.readouterr()
    config.write_text(f"{config.read_text()}\n{line}\n")
    for command in (["alerts", "check", str(config)], ["serve", "--config", str(config), "--workflow", str(workflow)]):
        assert run(command) == 2
        assert said in capsys.readouterr().err
