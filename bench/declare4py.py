"""Against Declare4Py 2.2, with its own API: the same log, the same nine rules, and the verdicts must be equal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench.measure import interleaved, sagacity
from bench.setting import WORKFLOWS, Setting
from bench.table import table
from bench.xes import xes

__all__ = ["declare4py"]

_SIDE = Path(__file__).with_name("declare4py_side.py")
_LARGEST = 100_000


def declare4py(setting: Setting) -> str:
    """A tenth of a million events at most: it reads every case into objects.

    The interpreter that has Declare4Py is this one, or the one that the variable DECLARE4PY names.
    """
    interpreter = os.environ.get("DECLARE4PY", sys.executable)
    if subprocess.run([interpreter, "-c", "import Declare4Py"], capture_output=True, check=False).returncode:
        return (
            "### Declare4Py\n\nnot installed here: make another environment, `pip install declare4py==2.2.0` there, "
            "and name its python in the variable DECLARE4PY\n"
        )
    events = min(setting.events, _LARGEST)
    log = xes(setting.folder, events)
    answer, findings = setting.folder / "declare4py.json", setting.folder / "nine.jsonl"
    checks: list[float] = []

    def note(text: str) -> None:
        setting.say(text)
        if text.startswith("Declare4Py") and "warm up" not in text:
            checks.append(json.loads(answer.read_text())["seconds"]["check"])

    workflow = WORKFLOWS / "nine.workflow.yaml"
    measured = interleaved(
        {
            "Declare4Py": [interpreter, str(_SIDE), str(log), str(answer)],
            "sagacity check": sagacity(
                "check", workflow, "--source", f"log={log}", "--as-of", "end", "--findings", findings
            ),
        },
        setting.rounds,
        note,
    )
    theirs: dict[str, list[str]] = json.loads(answer.read_text())["violated"]
    count, differing = _events(log), _differing(theirs, _ours(findings))
    whole = measured["Declare4Py"].seconds
    rows = [
        (
            name,
            f"{run.seconds:.2f}",
            f"{count / run.seconds:,.0f}",
            f"{whole / run.seconds:.1f}",
            f"{run.processor:.2f}",
            f"{run.memory:,.0f}",
        )
        for name, run in measured.items()
    ]
    check = median(checks)
    rows.insert(1, ("Declare4Py, its check alone", f"{check:.2f}", f"{count / check:,.0f}", f"{whole / check:.1f}", "", ""))
    verdicts = "verdicts equal" if not differing else f"VERDICTS DIFFER: {differing}"
    title = f"Declare4Py 2.2: {count:,} events as XES, nine rules; {verdicts}"
    return table(title, ("command", "seconds", "events/s", "speed against Declare4Py", "CPU s", "peak MiB"), rows)


def _ours(findings: Path) -> dict[str, set[str]]:
    violated: dict[str, set[str]] = {}
    for line in findings.read_text().splitlines():
        finding = json.loads(line)
        violated.setdefault(finding["expectation"], set()).add(finding["case"])
    return violated


def _differing(theirs: dict[str, list[str]], ours: dict[str, set[str]]) -> dict[str, list[str]]:
    """For each rule on which the two do not agree, some of the cases."""
    differences = {name: set(cases) ^ ours.get(name, set()) for name, cases in theirs.items()}
    return {name: sorted(cases)[:5] for name, cases in differences.items() if cases}


def _events(log: Path) -> int:
    import gzip

    with gzip.open(log, "rb") as lines:
        return sum(line.startswith(b"<event>") for line in lines)
