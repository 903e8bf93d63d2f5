"""What is learnt where outcomes exclude each other, and where times have no order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sagacity.cli.main import run
from sagacity.workflow.language.reader import load
from sagacity.workflow.model import Rule


def _written(path: Path, events: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps({"id": f"e{n}", **event}) + "\n" for n, event in enumerate(events)))
    return path


def test_two_outcomes_each_with_a_field_of_its_own_are_learnt(tmp_path: Path) -> None:
    events: list[dict[str, object]] = []
    for case in range(60):
        day = f"2026-05-{case % 28 + 1:02d}"
        events.append({"type": "Asked", "time": f"{day}T08:00:00Z", "case": f"c{case}"})
        outcome = {"type": "Granted", "officer": f"o{case}"} if case % 2 else {"type": "Refused", "reason": f"r{case}"}
        events.append({**outcome, "time": f"{day}T09:00:00Z", "case": f"c{case}"})
    out = tmp_path / "asked.workflow.yaml"
    assert run(["discover", str(_written(tmp_path / "events.jsonl", events)), "--case", "case", "-o", str(out)]) == 0
    rules = {(rule.template, rule.events) for rule in load(out).expectations if isinstance(rule, Rule)}
    assert ("exclusive_choice", ("Granted", "Refused")) in rules
    assert run(["check", str(out), "--as-of", "end", "--quiet"]) == 0


def test_events_of_one_instant_do_not_follow_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = ("Create", "Approve", "Order", "Receive")
    events: list[dict[str, object]] = [
        {"type": step, "time": f"2026-05-{case % 28 + 1:02d}", "case": f"c{case}"}
        for case in range(80)
        for step in steps[case % 4 :] + steps[: case % 4]
    ]
    out = tmp_path / "orders.workflow.yaml"
    assert run(["discover", str(_written(tmp_path / "events.jsonl", events)), "--case", "case", "-o", str(out)]) == 0
    assert not [rule for rule in load(out).expectations if isinstance(rule, Rule) and rule.template.startswith("chain")]
    capsys.readouterr()
    assert run(["validate", str(out)]) == 0
    assert "nothing wrong" in capsys.readouterr().out
