"""Six hundred sagas of the campaign. The whole of it: `python -m tests.chaos.sagas --sagas 10000`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from sagacity.saga.state import SagaState, SagaStatus, StepState
from sagacity.testing.servers.kafka import KAFKA, broker_at_hand
from sagacity.testing.servers.postgres import postgres_at_hand

from .sagas.account import Account, account, not_at_once, parked_wrongly, plans
from .sagas.campaign import campaign
from .sagas.evidence import Evidence
from .sagas.role import Setup, trace_of
from .sagas.shop import PARTICIPANTS, PURCHASE, STEPS


@pytest.mark.chaos
def test_six_hundred_sagas_end_as_they_must_whatever_is_killed_and_the_audit_finds_what_was_planted(tmp_path: Path) -> None:
    if broker_at_hand() != KAFKA or postgres_at_hand() is None:
        pytest.skip("the campaign of sagas needs Apache Kafka and PostgreSQL")
    outcome = campaign(tmp_path, 600, 11, pause=1.4, disasters=1)
    assert outcome.wrong == []
    assert outcome.account.fine
    assert outcome.parked == 6
    assert outcome.planted == 30
    assert sum(outcome.kills.values()) > 7


SETUP = Setup(3, 200, 1.0, "", {}, "")


def _as_it_should_be() -> Evidence:
    """Of each saga what its plan has it leave, as if nothing had gone wrong."""
    evidence = Evidence({}, {name: [] for name in PARTICIPANTS}, {}, {}, [], {}, set())
    by_step = {step: name for name, steps in PARTICIPANTS.items() for step in steps}
    for number, (id, plan) in enumerate(plans(SETUP).items()):
        status: SagaStatus = "compensated" if plan.refuse else "completed"
        steps = {step: StepState("done") for step in STEPS}
        evidence.sagas[id] = SagaState(
            id=id, definition="purchase", version=1, status=status, input=msgspec.Raw(b"{}"), steps=steps,
            started=0, changed=0,
        )  # fmt: skip
        evidence.traces[id] = {trace_of(number)}
        done = [step for step in STEPS if not plan.refuse or (step in ("reserve", "order") and step != plan.refuse)]
        for step in done:
            for action in ("do", "undo") if plan.refuse else ("do",):
                evidence.log[by_step[step]].append({"saga": id, "step": step, "action": action})
    return evidence


def _compensated(evidence: Evidence) -> str:
    return next(str(row["saga"]) for row in evidence.log["orders"] if row["action"] == "undo")


def _lose_a_compensation(evidence: Evidence) -> None:
    saga = _compensated(evidence)
    evidence.log["orders"] = [row for row in evidence.log["orders"] if (row["saga"], row["action"]) != (saga, "undo")]


def _double_an_effect(evidence: Evidence) -> None:
    evidence.log["payments"].append(evidence.log["payments"][0])


def _leave_one_under_way(evidence: Evidence) -> None:
    id = next(iter(evidence.sagas))
    evidence.sagas[id] = msgspec.structs.replace(evidence.sagas[id], status="running")


def _lose_one(evidence: Evidence) -> None:
    del evidence.sagas[next(iter(evidence.sagas))]


def _leave_a_message(evidence: Evidence) -> None:
    evidence.waiting["stock"] = 1


def _break_a_trace(evidence: Evidence) -> None:
    evidence.traces[next(iter(evidence.traces))].add(None)


def _bury(evidence: Evidence) -> None:
    evidence.dead.append("stock: nothing here handles it")


def test_nothing_is_wrong_with_evidence_that_is_as_it_should_be() -> None:
    assert account(_as_it_should_be(), SETUP) == Account()


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (_lose_a_compensation, "lost"), (_double_an_effect, "doubled"), (_leave_one_under_way, "stuck"),
        (_lose_one, "stuck"), (_leave_a_message, "stuck"), (_break_a_trace, "other"), (_bury, "other"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_kind(spoil: Callable[[Evidence], None], kind: str) -> None:
    evidence = _as_it_should_be()
    spoil(evidence)
    found = account(evidence, SETUP)
    counted = {name: getattr(found, name) for name in ("stuck", "lost", "doubled", "other")}
    assert counted[kind] >= 1
    assert sum(counted.values()) == counted[kind]
    assert not found.fine


def test_outages_may_turn_some_back_but_not_many() -> None:
    evidence = _as_it_should_be()
    for id, plan in list(plans(SETUP).items())[:40]:
        if plan.refuse is None:
            evidence.sagas[id] = msgspec.structs.replace(evidence.sagas[id], status="compensated")
            for rows in evidence.log.values():
                rows[:] = [row for row in rows if row["saga"] != id]
    found = account(evidence, SETUP)
    assert found.turned > 20
    assert found.other == 1
    assert "too many" in found.told[0]


def test_what_is_started_in_the_calm_must_complete_before_any_answer_could_time_out() -> None:
    setup = msgspec.structs.replace(SETUP, fresh=3)
    saga = _as_it_should_be().sagas["purchase-0"]
    calm = {f"purchase-{200 + at}": msgspec.structs.replace(saga, changed=2_000_000) for at in range(3)}
    calm = {id: msgspec.structs.replace(each, id=id, status="completed") for id, each in calm.items()}
    assert not_at_once(calm, setup) == []
    calm["purchase-201"] = msgspec.structs.replace(calm["purchase-201"], changed=11_000_000)
    del calm["purchase-202"]
    assert len(not_at_once(calm, setup)) == 2


def test_what_is_jammed_must_be_parked_and_nothing_else() -> None:
    sagas, all_plans = _as_it_should_be().sagas, plans(SETUP)
    jammed = [id for id, plan in all_plans.items() if plan.jam]
    assert len(parked_wrongly(sagas, all_plans)) == len(jammed) == 2
    assert set(PURCHASE.by_name) == set(STEPS)
