"""Live: ticks into the ledger, from a broker to durable verdicts, from a deadline to its alert, and a replay."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.live_broker import from_broker
from bench.live_deadlines import deadlines
from bench.live_ledger import filled
from bench.live_ticks import replay, ticks
from bench.setting import Setting

__all__ = ["live"]


def live(setting: Setting) -> str:
    """All four, with a tenth as many open cases as the history has events."""
    cases = max(setting.events // 10, 1_000)
    kept = filled(setting, cases)
    setting.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=setting.folder) as folder:
        work = Path(folder)
        tables = [
            ticks(setting, filled(setting, cases), work / "ticks"),
            from_broker(setting, kept, work / "broker"),
            deadlines(setting, work / "deadlines"),
            replay(kept, work / "replay"),
        ]
    return "\n".join(tables)
