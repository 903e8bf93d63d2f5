"""Faults planted in the evidence after the fact, and what `sagacity check` finds by the workflow that is generated."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import msgspec

from saga_logs import Log, written
from sagacity.saga.expectations import workflow_text

from .shop import PURCHASE

__all__ = ["Found", "audited", "planted"]

Found: TypeAlias = "dict[str, set[str]]"
"""The expectations that were not met, by saga."""

_CHECK_WITHIN = 900
_EACH = 3


class _Case(msgspec.Struct):
    """The records of one saga, by source; changed in place."""

    id: str
    log: Log

    @property
    def completed(self) -> bool:
        return any(record["type"] == "SagaCompleted" for record in self.log["saga-events"])

    def drop(self, source: str, **fields: str) -> bool:
        """Take out the records that say so; False where there are none."""
        kept = [record for record in self.log[source] if not _says(record, fields)]
        dropped = len(kept) < len(self.log[source])
        self.log[source] = kept
        return dropped

    def double(self, source: str, named: str, **fields: str) -> bool:
        """Have a record of these there once more, as another."""
        for record in self.log[source]:
            if _says(record, fields):
                self.log[source].append({**record, named: f"{record[named]}-again"})
                return True
        return False

    def alter(self, source: str, which: dict[str, str], **fields: str) -> bool:
        altered = False
        for record in self.log[source]:
            if _says(record, which):
                record.update(fields)
                altered = True
        return altered


Fault: TypeAlias = Callable[[_Case], "set[str] | None"]
"""Plants a fault: the names of all expectations that then are not met; None where the saga has no place for it."""


def _lost_end(case: _Case) -> set[str] | None:
    dropped = case.drop("saga-events", type="SagaCompleted") or case.drop("saga-events", type="SagaCompensated")
    return {"ends once, completed, compensated or abandoned"} if dropped else None


def _lost_start(case: _Case) -> set[str] | None:
    return {"started once"} if case.drop("saga-events", type="SagaStarted") else None


def _lost_compensation(case: _Case) -> set[str] | None:
    if not case.drop("saga-events", type="StepCompensated", sagastep="order"):
        return None
    return {"order: what was or may have been done is undone, once, before the saga is compensated"}


def _doubled_step(case: _Case) -> set[str] | None:
    if not case.completed or not case.double("saga-events", "id", type="StepCompleted", sagastep="charge"):
        return None
    return {"charge completed: not twice", "charge: done once before the saga is completed"}


def _lost_reply(case: _Case) -> set[str] | None:
    if not case.completed or not case.drop("replies", type="do-charge.replied"):
        return None
    return {"charge: do-charge answered in time", "charge: completed because do-charge was answered so"}


def _altered_reply(case: _Case) -> set[str] | None:
    if not case.completed or not case.alter("replies", {"type": "do-order.replied"}, sagaoutcome="failed"):
        return None
    return {"order: completed because do-order was answered so"}


def _altered_outcome(case: _Case) -> set[str] | None:
    """The log says abandoned where the saga was completed."""
    if not case.alter("saga-events", {"type": "SagaCompleted"}, type="SagaAbandoned"):
        return None
    return {"abandoned by nobody"}


def _missing_effect(case: _Case) -> set[str] | None:
    if not case.completed or not case.drop("payments", action="do"):
        return None
    return {"charge: its effect stands in payments once the saga is completed"}


def _doubled_effect(case: _Case) -> set[str] | None:
    if not case.completed or not case.double("orders", "row", action="do"):
        return None
    return {"order effect: not twice", "order: its effect stands in orders once the saga is completed"}


def _effect_not_undone(case: _Case) -> set[str] | None:
    if not case.drop("stock", action="undo", step="reserve"):
        return None
    return {"reserve: no effect stands in stock once the saga is compensated"}


_FAULTS: tuple[Fault, ...] = (
    _lost_end, _lost_start, _lost_compensation, _doubled_step, _lost_reply, _altered_reply, _altered_outcome,
    _missing_effect, _doubled_effect, _effect_not_undone,
)  # fmt: skip


def planted(log: Log, seed: int) -> tuple[Log, Found]:
    """A log in which each of the faults has been planted in so many sagas, and what is to be found of them. Records of the
    log itself are not changed."""
    cases: dict[str, _Case] = {}
    for source, records in log.items():
        for record in records:
            id = record.get("sagaid") or record["saga"]
            case = cases.setdefault(id, _Case(id, {name: [] for name in log}))
            case.log[source].append(dict(record))
    chance = Random(f"faults {seed}")
    order = chance.sample(sorted(cases), len(cases))
    expected: Found = {}
    for fault in _FAULTS:
        count = 0
        for id in order:
            if count == _EACH:
                break
            if id not in expected and (names := fault(cases[id])) is not None:
                expected[id] = names
                count += 1
        if count < _EACH:
            raise RuntimeError(f"too few sagas have a place for {fault.__name__}")
    altered: Log = {name: [] for name in log}
    for case in cases.values():
        for source, records in case.log.items():
            altered[source] += records
    return altered, expected


def audited(log: Log, folder: Path) -> Found:
    """What `sagacity check` finds in a log by the workflow that is generated from the definition."""
    folder.mkdir(parents=True, exist_ok=True)
    workflow, findings = folder / "purchase.workflow.yaml", folder / "findings.jsonl"
    workflow.write_text(workflow_text(PURCHASE), encoding="utf-8")
    options = [part for source, path in written(log, folder).items() for part in ("--source", f"{source}={path}")]
    command = [sys.executable, "-m", "sagacity.cli.main", "check", str(workflow), *options, "--as-of", "end"]
    command += ["--findings", str(findings), "--limit", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_CHECK_WITHIN)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"check ended with {done.returncode}:\n{done.stdout[-2_000:]}{done.stderr[-2_000:]}")
    found: Found = defaultdict(set)
    for line in findings.read_text(encoding="utf-8").splitlines():
        finding: dict[str, Any] = json.loads(line)
        found[finding["case"]].add(finding["expectation"])
    return dict(found)


def _says(record: dict[str, Any], fields: dict[str, str]) -> bool:
    return all(record.get(name) == value for name, value in fields.items())
