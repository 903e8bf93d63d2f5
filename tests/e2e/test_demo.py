"""`sagacity demo`, as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def _demo(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("sagacity")
    return subprocess.run([program, "demo", *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_the_demo_finds_exactly_what_was_planted(tmp_path: Path) -> None:
    done = _demo("--orders", "3000", "--faults", "0.1", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for kind in ("missing", "late", "duplicate", "out of order", "mismatch", "unexpected", "conflict"):
        assert f"✓ {kind}" in done.stdout
    assert "Every fault was found, and nothing else." in done.stdout
    assert "explain out/order.workflow.yaml --case 123" in done.stdout
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


def test_another_seed_and_no_faults_but_order_123(tmp_path: Path) -> None:
    done = _demo("--orders", "1000", "--faults", "0", "--seed", "42", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    answers = (tmp_path / "out" / "answers.jsonl").read_text().splitlines()
    assert len(answers) == 1
    assert '"case":"123"' in answers[0]


def test_too_few_orders_are_refused(tmp_path: Path) -> None:
    done = _demo("--orders", "5", cwd=tmp_path)
    assert done.returncode == 2
    assert "--orders" in done.stderr
