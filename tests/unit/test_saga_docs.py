"""What docs/saga.md shows of transitions and of measures are the tables that the code reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sagacity.saga.transitions import TRANSITIONS, find


def test_the_picture_and_the_table_are_those_of_the_code(project: Path) -> None:
    script = project / "scripts" / "saga_transitions.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_table_of_measures_is_that_of_the_code(project: Path) -> None:
    script = project / "scripts" / "saga_measures.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_step_has_two_ways_to_go_on() -> None:
    ways = [(row.status, row.trigger, kind) for row in TRANSITIONS for kind in row.kinds]
    assert len(ways) == len(set(ways))


def test_nothing_happens_to_what_has_settled() -> None:
    for status in ("failed", "skipped", "undone", "undo-skipped"):
        assert not [row for row in TRANSITIONS if row.status == status]
    assert find("done", "undo", "pivot") is None
