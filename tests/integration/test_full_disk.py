"""A full disk stalls intake, which goes on by itself when there is room: nothing is lost, and nothing doubled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def _fill(folder: Path, project: Path, limit: int, *options: str) -> dict[str, Any]:
    paths = [str(project / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, str(project / "tests" / "filling_disk.py"), str(folder), str(limit), *options],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(
    ("limit", "options"),
    [(3_000_000, ()), (3_000_000, ("--checkpoint",)), (4_000_000, ("--checkpoint", "--reader"))],
    ids=["as records are written", "as they are moved to their place", "while somebody reads"],
)
def test_intake_stalls_on_a_full_disk_and_goes_on_when_there_is_room(
    tmp_path: Path, project: Path, limit: int, options: tuple[str, ...]
) -> None:
    told = _fill(tmp_path / "ledger", project, limit, *options)
    assert told["failures"] == []
    assert told["stalled"] == "stalled"
    assert "the disk of the ledger" in told["problem"]
    assert "make room there; intake goes on by itself" in told["problem"]
    assert told["waiting"] == 1  # what was not kept was not answered
    assert told["recovered"]
    assert told["kept"] == told["sent"]
    assert told["rows"] == [told["sent"]] * 3
