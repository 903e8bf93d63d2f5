"""What every test run says at its end: which real parts took part in it."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    parts = {
        "chromium": shutil.which("chromium") is not None,
        "../shared/data": (ROOT.parent / "shared" / "data").is_dir(),
        "rustxes (another reader of XES)": importlib.util.find_spec("rustxes") is not None,
        "data frames (pyarrow, pandas, polars)": all(map(importlib.util.find_spec, ("pyarrow", "pandas", "polars"))),
    }
    terminalreporter.section("real parts that took part")
    for part, present in parts.items():
        terminalreporter.write_line(f"{part}: {'yes' if present else 'no'}")


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's own folder."""
    return ROOT
