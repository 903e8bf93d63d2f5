"""The workflow that is generated from a saga's definition finds exactly the faults that were planted, and no others."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

import sagacity
from saga_logs import AUDITED, Log, gathered, simulated, written
from sagacity.judge import judge
from sagacity.reconcile.history import History
from sagacity.saga.expectations import ALLOWANCE, patience, workflow_text
from sagacity.testing.simulation.scenario import Faults

Planted = Callable[[Log, str], str | None]
"""Plants a fault in a saga: the name of the expectation that must find it, None where the saga has no place for it."""

SAGAS = [f"{seed}-{number}" for seed in range(40) for number in range(3)]

UNDOABLE = [step.name for step in AUDITED.steps if step.kind == "compensatable"]


@pytest.fixture(scope="module")
def log() -> Log:
    return gathered(simulated(seed) for seed in range(40))


def _check(log: Log, folder: Path) -> dict[str, set[str]]:
    """The names of the expectations that were not met, by saga."""
    workflow = folder / "saga.workflow.yaml"
    workflow.write_text(workflow_text(AUDITED), encoding="utf-8")
    found: dict[str, set[str]] = {}
    for finding in sagacity.check(workflow, written(log, folder), as_of="end").findings:
        found.setdefault(finding.case, set()).add(finding.expectation)
    return found


def _take_out(log: Log, source: str, which: Callable[[dict[str, Any]], bool]) -> bool:
    before = len(log[source])
    log[source] = [record for record in log[source] if not which(record)]
    return len(log[source]) < before


def _event(saga: str, type: str, step: str | None = None) -> Callable[[dict[str, Any]], bool]:
    return lambda record: (
        record["sagaid"] == saga and record["type"] == type and (step is None or record.get("sagastep") == step)
    )


def _lost_compensation(log: Log, saga: str) -> str | None:
    for step in UNDOABLE:
        if _take_out(log, "saga-events", _event(saga, "StepCompensated", step)):
            return f"{step}: what was or may have been done is undone, once, before the saga is compensated"
    return None


def _lost_outcome(log: Log, saga: str) -> str | None:
    for type in ("SagaCompleted", "SagaCompensated"):
        if _take_out(log, "saga-events", _event(saga, type)):
            return "ends once, completed, compensated or abandoned"
    return None


def _lost_step(log: Log, saga: str) -> str | None:
    if any(_event(saga, "SagaCompleted")(record) for record in log["saga-events"]):
        _take_out(log, "saga-events", _event(saga, "StepCompleted", "ship"))
        return "ship: done once before the saga is completed"
    return None


def _doubled_effect(log: Log, saga: str) -> str | None:
    for record in log["pay-rows"]:
        if record["saga"] == saga:
            log["pay-rows"].append({**record, "row": f"{record['row']}-again"})
            return "pay effect: not twice"
    return None


def _effect_that_was_not_undone(log: Log, saga: str) -> str | None:
    for step in UNDOABLE:
        rows = f"{step}-rows"
        if _take_out(log, rows, lambda record: record["saga"] == saga and record["action"] == "undo"):
            return f"{step}: no effect stands in {rows} once the saga is compensated"
    return None


def _missing_effect(log: Log, saga: str) -> str | None:
    if _take_out(log, "pay-rows", lambda record: bool(record["saga"] == saga)):
        return "pay: its effect stands in pay-rows once the saga is completed"
    return None


def _delayed(by: timedelta) -> Planted:
    def late(log: Log, saga: str) -> str | None:
        limit = timedelta(microseconds=patience(AUDITED.by_name["hold"], "do")) + ALLOWANCE + by
        sent = {record["sagaattempt"]: record["time"] for record in log["commands"] if _event(saga, "Do-hold")(record)}
        answers = [record for record in log["replies"] if _event(saga, "Do-hold.replied")(record)]
        for record in answers:
            record["time"] = (datetime.fromisoformat(sent[record["sagaattempt"]]) + limit).isoformat()
        return "hold: Do-hold answered in time" if answers else None

    return late


def _begun_after_turning_back(log: Log, saga: str) -> str | None:
    turned = [record for record in log["saga-events"] if _event(saga, "CompensationStarted")(record)]
    paid = any(_event(saga, "Do-pay")(record) for record in log["commands"])
    if not turned or paid:
        return None
    after = (datetime.fromisoformat(turned[0]["time"]) + timedelta(seconds=1)).isoformat()
    said = {"sagaid": saga, "saganame": "audited", "sagaversion": "3", "sagastep": "pay", "sagaattempt": "1"}
    log["commands"].append({"id": f"{saga}/pay/do/1", "type": "Do-pay", "source": "/x", "time": after, **said})
    return "pay: not begun once the saga has turned back"


FAULTS: tuple[Planted, ...] = (
    _lost_compensation,
    _lost_outcome,
    _lost_step,
    _doubled_effect,
    _effect_that_was_not_undone,
    _missing_effect,
    _delayed(timedelta(microseconds=1)),
    _begun_after_turning_back,
)


def test_sagas_in_which_nothing_is_wrong_have_no_findings(log: Log, tmp_path: Path) -> None:
    assert _check(log, tmp_path) == {}


@pytest.mark.parametrize("seed", [1, 2])
def test_exactly_the_planted_faults_are_found(log: Log, tmp_path: Path, seed: int) -> None:
    planted_log, chance = deepcopy(log), Random(seed)
    planted: dict[str, str] = {}
    for fault in FAULTS:
        count = 0
        for saga in chance.sample(SAGAS, len(SAGAS)):
            if saga not in planted and count < 4 and (expected := fault(planted_log, saga)) is not None:
                planted[saga] = expected
                count += 1
        assert count == 4, f"no saga had a place for {fault}"
    found = _check(planted_log, tmp_path)
    assert {planted[saga] for saga in set(planted) - set(found)} == set()
    assert set(found) - set(planted) == set()
    assert {saga: expected for saga, expected in planted.items() if expected not in found[saga]} == {}


def test_an_answer_at_the_very_last_microsecond_is_in_time(log: Log, tmp_path: Path) -> None:
    planted = deepcopy(log)
    assert [saga for saga in SAGAS if _delayed(timedelta(0))(planted, saga)]
    assert _check(planted, tmp_path) == {}


def test_what_goes_wrong_for_everybody_to_see_is_told_and_nothing_else(tmp_path: Path) -> None:
    """Clocks that jump, participants that are dead or slow, operators that meddle: no law is broken, and none said to be."""
    rough = Faults(0.05, 0.2, 0.2, 0.3, 0.3, 0.02, 0.05, 0.01, 0.02)
    found = _check(gathered(simulated(seed, rough, dead=0.1) for seed in range(40)), tmp_path)
    told = {name for names in found.values() for name in names}
    assert {name for name in told if not name.endswith("answered in time")} <= {"abandoned by nobody"}
    assert "abandoned by nobody" in told


def test_the_reference_judge_says_the_same(log: Log, tmp_path: Path) -> None:
    planted = deepcopy(log)
    sagas = [saga for saga in SAGAS if _lost_compensation(planted, saga)][:3]
    workflow = tmp_path / "saga.workflow.yaml"
    workflow.write_text(workflow_text(AUDITED), encoding="utf-8")
    with History(workflow, written(planted, tmp_path), as_of="end") as history:
        for saga in [*sagas, SAGAS[0]]:
            explained = history.explain(saga)
            assert judge(sagacity.load(workflow), explained.events, sagacity.FOREVER) == explained.verdict
