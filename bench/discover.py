"""Workflows learnt from history: how fast, and how well by what is learnt the later faults are found."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from bench.events import parquet
from bench.loans import loans
from bench.planted import TRUE, planted
from bench.receipt import LOG, parted
from bench.setting import Setting
from bench.table import table
from sagacity.reconcile.discovery import Discovery
from sagacity.reconcile.history import History
from sagacity.workflow.instants import iso
from sagacity.workflow.language.reader import load, loads
from sagacity.workflow.model import Assert, Audited, Rule, Workflow

__all__ = ["discover"]

_ORDERS = 20_000


def discover(setting: Setting) -> str:
    """Speed on two sizes; recall and precision on orders with planted faults; a real log, where it is there."""
    speed = [
        _timed(setting, "loans, XES, 24 activities", "-", [loans(setting.folder)]),
        _timed(setting, "orders, Parquet, 7 types", "order_id", [parquet(setting.folder, setting.events)]),
    ]
    header = ("log", "events", "reading s", "CPU s", "proposing s", "CPU s", "peak MiB", "rules", "lines")
    return "\n".join(
        [table("Discover: how fast", header, speed), _planted(setting), *([_real(setting)] if LOG.exists() else [])]
    )


def _timed(setting: Setting, name: str, case: str, files: list[Path]) -> tuple[str, ...]:
    runs = []
    for number in range(setting.rounds):
        runs.append(_run(case, "-", "-", files))
        setting.say(f"{name}: round {number + 1} of {setting.rounds}: {runs[-1]['proposing']:.1f} s")

    def middle(field: str) -> float:
        return float(median(run[field] for run in runs))

    times = [f"{middle(field):.1f}" for field in ("reading", "reading_cpu", "proposing", "proposing_cpu")]
    last = runs[-1]
    return (name, f"{last['events']:,}", *times, f"{middle('memory'):,.0f}", str(last["rules"]), str(last["lines"]))


def _run(case: str, until: str, out: str, files: list[Path]) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.discover_side", case, until, out, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _planted(setting: Setting) -> str:
    """Learnt from the first 70 % of the time, judged on the orders of the last 30 %."""
    log = planted(_ORDERS)
    cut = log.split(0.7)
    later = {case for case, began in log.began.items() if began > cut}
    everything = log.write(setting.folder / "planted.jsonl")
    rest = log.write(setting.folder / "planted-later.jsonl", later)
    out = setting.folder / "planted.workflow.yaml"
    run = _run("order_id", iso(int(cut * 1e6)) or "-", str(out), [everything])
    found = _found(load(out), rest)
    true = {case for case, _, _ in _found(loads(TRUE), rest)}
    faults = [fault for fault in log.faults if fault.case in later]
    faulty = {fault.case for fault in faults}
    rows = []
    for kind in sorted({fault.kind for fault in faults}):
        of = [fault for fault in faults if fault.kind == kind]
        caught = sum(any(case == f.case and f.type in about for case, _, about in found) for f in of)
        rows.append((kind, str(len(of)), str(caught), f"{caught / len(of):.3f}"))
    caught = sum(int(row[2]) for row in rows)
    rows.append(("all", str(len(faults)), str(caught), f"{caught / len(faults):.3f}"))
    right = sum(case in faulty for case, _, _ in found)
    cases = {case for case, _, _ in found}
    said = (
        f"{_ORDERS:,} orders; {run['rules']} rules in {run['lines']} lines; on {len(later):,} later orders {len(found):,} "
        f"findings, precision {right / max(len(found), 1):.3f} "
        f"({len(cases & faulty) / max(len(cases), 1):.3f} of the cases); "
        f"{len(true - cases)} of the {len(true)} cases that the true workflow finds are not found."
    )
    return "\n".join([table("Discover: planted faults", ("fault", "planted", "found", "recall"), rows), said, ""])


def _real(setting: Setting) -> str:
    """Learnt from the permits of which the first 70 % had begun, judged on the others."""
    later = setting.folder / "receipt-later.xes"
    cut, before, after = parted(LOG, later)
    rows = []
    for threshold in (0.9, 0.95, 0.98):
        out = setting.folder / "receipt.workflow.yaml"
        with Discovery([str(LOG)], None, until=cut) as discovery:
            proposal = discovery.propose(threshold)
        out.write_text(proposal.text, encoding="utf-8")
        broken = []
        for as_of in (None, "end"):
            with History(load(out), {"log": str(later)}, as_of=as_of) as history:
                broken.append(len({each.case for each in history.check(details=False).findings}))
        rows.append(
            (
                f"{threshold:.0%}",
                str(len(proposal.rules)),
                str(proposal.text.count("\n")),
                *(f"{n} ({n / after:.1%})" for n in broken),
            )
        )
    header = ("threshold", "rules", "lines", "cases violated", "the same, the log taken for complete")
    said = f"Learnt from what {before:,} permits had come to until {cut}, judged on the {after:,} that began from then on."
    return "\n".join([table("Discover: permits of a municipality", header, rows), said, ""])


def _found(workflow: Workflow, log: Path) -> list[tuple[str, str, set[str]]]:
    with History(workflow, {"log": str(log)}, as_of="end") as history:
        result = history.check(details=False)
        about = {tally.name: _types(tally.expectation) for tally in result.tallies}
        return [
            (each.case, each.expectation, about[each.expectation] | ({each.type} if each.type else set()))
            for each in result.findings
        ]


def _types(expectation: Audited) -> set[str]:
    if isinstance(expectation, Rule):
        return set(expectation.events)
    return set(re.findall(r"\b[A-Z]\w+", expectation.predicate)) if isinstance(expectation, Assert) else set()
