"""What one waits for before anything happens: help, and a check on a file of a thousand events."""

from __future__ import annotations

from bench.events import AS_OF, jsonl
from bench.measure import interleaved, python, sagacity
from bench.setting import WORKFLOWS, Setting
from bench.table import table

__all__ = ["startup"]


def startup(setting: Setting) -> str:
    """Whole processes, the interpreter's own start beside them."""
    file = jsonl(setting.folder, 1000)
    workflow = WORKFLOWS / "order15.workflow.yaml"
    measured = interleaved(
        {
            "python -c pass": python("pass"),
            "sagacity --help": sagacity("--help"),
            "sagacity check, 1,000 events, 15 rules": sagacity(
                "check", workflow, "--source", f"orders={file}", "--as-of", AS_OF
            ),
        },
        max(setting.rounds, 5),
        setting.say,
    )
    rows = [(name, f"{run.seconds:.3f}", f"{run.processor:.2f}", f"{run.memory:,.0f}") for name, run in measured.items()]
    return table("Start-up", ("command", "seconds", "CPU s", "peak MiB"), rows)
