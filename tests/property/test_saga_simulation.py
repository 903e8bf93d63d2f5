"""The laws of sagas, under schedules drawn from seeds: `python -m sagacity.testing.simulate` runs more of them."""

from __future__ import annotations

import pytest

from sagacity.saga.transitions import TRANSITIONS
from sagacity.testing.simulate import main, story
from sagacity.testing.simulation.scenario import scenario
from sagacity.testing.simulation.store import FencedError, Store
from sagacity.testing.simulation.world import Run, World, simulate

_SEEDS = 2_000
_CHUNK = 250

_ALWAYS_TOLD = (
    "SagaStarted", "SagaReleased", "CompensationStarted", "SagaCompleted", "SagaCompensated", "SagaAbandoned",
)  # fmt: skip
"""What is told of the saga as a whole, beside what transitions of its steps tell."""


@pytest.mark.parametrize("first", range(0, _SEEDS, _CHUNK))
def test_every_saga_ends_and_its_effects_agree_with_how(first: int) -> None:
    for seed in range(first, first + _CHUNK):
        run = simulate(seed)
        if run.broken is not None:
            pytest.fail(story(simulate(seed, record=True)))


class Unattended(World):
    """Nobody sees to what is parked."""

    def _operate(self, *, last: bool) -> None:
        del last


def test_a_saga_that_stays_parked_for_good_breaks_a_law() -> None:
    broken = {Unattended(scenario(seed)).run().broken or "" for seed in range(100)}
    assert any("has not ended, though all is mended: parked" in each for each in broken)


def _told(runs: list[Run]) -> set[str]:
    return {envelope.type for run in runs for envelope in run.topics.get("saga-events", ())}


def test_seeds_reach_every_transition_and_tell_every_event() -> None:
    runs = [simulate(seed) for seed in range(1_000)]
    rows = {(kind, row.status, row.to) for row in TRANSITIONS for kind in row.kinds if row.status != row.to}
    assert rows - {move for run in runs for move in run.moves} == set()
    assert _told(runs) == {*_ALWAYS_TOLD, *(type for row in TRANSITIONS for type in row.tells)}
    assert {saga.status for run in runs for saga in run.sagas.values()} >= {"completed", "compensated", "abandoned"}


def test_a_seed_replays_exactly() -> None:
    for seed in (1, 7, 99):
        once, again = simulate(seed, record=True), simulate(seed, record=True)
        assert once == again
        assert simulate(seed).sagas == once.sagas


def test_a_schedule_tells_what_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--show", "3"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("seed 3: ")
    assert "orchestrator: receives" in told
    assert told.endswith("every law holds\n")


def test_a_transaction_is_kept_as_a_whole_or_not_at_all() -> None:
    store = Store()
    first, second = store.begin(), store.begin()
    first.put("t", "a", 1)
    second.put("t", "a", 2)
    second.put("t", "b", 3)
    assert store.rows("t") == {}
    first.commit()
    with pytest.raises(FencedError):
        second.commit()
    assert store.rows("t") == {"a": 1}


def test_a_transaction_reads_its_own_writes() -> None:
    store = Store()
    store.begin().put("t", "lost", 1)
    transaction = store.begin()
    transaction.put("t", "a", 1)
    transaction.drop("t", "a")
    transaction.append("t", "x")
    assert transaction.get("t", "a") is None
    assert [value for _, value in transaction.rows("t")] == ["x"]
