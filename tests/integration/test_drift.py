"""What has changed in a log in which something was changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from bench.planted import TRUE, Log, planted

from sagacity.cli.main import run
from sagacity.discover.drift import Change
from sagacity.reconcile.drift import drift
from sagacity.workflow.instants import instant
from sagacity.workflow.language.reader import loads

_CHANGED = 3 / 5


@pytest.fixture(scope="module")
def log() -> Log:
    return planted(1_800, seed=9, per_day=50)


def _written(log: Log, path: Path, *, changed: bool) -> Path:
    """The log; `changed`, without every sixth InvoiceSent and with a new event type from three fifths of the time on."""
    cut = log.split(_CHANGED)
    with path.open("wb") as out:
        for _, case, event in log.events:
            kept: list[dict[str, Any]] = [event]
            if changed and log.began[case] >= cut and event["type"] == "InvoiceSent":
                kept = [] if int(case[1:]) % 6 == 0 else [event, {**event, "id": f"n{event['id']}", "type": "LetterSent"}]
            out.writelines(msgspec.json.encode(each) + b"\n" for each in kept)
    return path


def _changes(path: Path) -> list[Change]:
    return list(drift(loads(TRUE), {"log": str(path)}, by="week", as_of="end").changes)


def test_a_log_in_which_nothing_changed_is_quiet(log: Log, tmp_path: Path) -> None:
    assert _changes(_written(log, tmp_path / "same.jsonl", changed=False)) == []


def test_what_changed_is_told_with_the_week_since_when(log: Log, tmp_path: Path) -> None:
    found = _changes(_written(log, tmp_path / "changed.jsonl", changed=True))
    told = {(change.what, change.name) for change in found}
    assert ("new type", "LetterSent") in told
    assert ("type", "InvoiceSent") in told
    assert ("rule", "InvoiceSent within 10m of PaymentReceived") in told
    assert not any("ItemShipped" in name for what, name in told if what in ("rule", "type", "delay"))
    cut = log.split(_CHANGED) * 1e6
    week = 7 * 86_400 * 1e6
    assert all(abs(change.since - cut) <= week for change in found), [instant(change.since) for change in found]


def test_the_command_exits_with_1_where_something_changed(
    log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workflow = tmp_path / "order.workflow.yaml"
    workflow.write_text(TRUE, encoding="utf-8")
    changed = str(_written(log, tmp_path / "changed.jsonl", changed=True))
    assert run(["drift", str(workflow), "--source", changed, "--as-of", "end"]) == 1
    assert "the event type LetterSent is new" in " ".join(capsys.readouterr().out.split())
    assert run(["drift", str(workflow), "--source", changed, "--by", "soon"]) == 2
