"""Pages and tables of the documentation that are generated are what would be generated now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
GENERATORS = sorted(path.name for path in SCRIPTS.glob("*.py") if "--check" in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("script", GENERATORS)
def test_the_page_is_what_the_script_writes(script: str) -> None:
    command = [sys.executable, "-W", "ignore", str(SCRIPTS / script), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_every_generator_is_found() -> None:
    assert set(GENERATORS) == {"api_routes.py", "commands.py", "saga_measures.py", "saga_transitions.py"}
