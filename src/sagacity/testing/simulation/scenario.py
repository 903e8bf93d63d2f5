"""What a seed is about: a definition of any shape, some sagas of it, how participants behave, and which faults there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import get_args

import msgspec

from sagacity.saga.definition import Retry, RetryOn, Saga, Step

__all__ = ["SECOND", "Faults", "Manner", "Scenario", "scenario"]

SECOND = 1_000_000


class Faults(msgspec.Struct, frozen=True):
    """How often, of all occasions, something goes wrong; 0 is never. `meddling` is an operator who orders whatever."""

    crash: float = 0.0
    lose: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    reorder: float = 0.0
    jump: float = 0.0
    held_up: float = 0.0
    unknown_version: float = 0.0
    meddling: float = 0.0


class Manner(msgspec.Struct, frozen=True):
    """How a participant behaves: how often it fails a command for good reason, calls a failure passing, fails a
    compensation, and hits an error of its own that it retries. `dead` until an operator revives it."""

    failure: float = 0.0
    passing: float = 0.0
    undo_failure: float = 0.0
    error: float = 0.0
    dead: bool = False


class Scenario(msgspec.Struct, frozen=True):
    """A seed, drawn out. `storm` is for how many turns faults occur, `slowness` how often time passes meanwhile although
    there is something to do."""

    seed: int
    definition: Saga
    sagas: Mapping[str, bytes]
    manners: Mapping[str, Manner]
    faults: Faults
    storm: int
    slowness: float


def scenario(seed: int) -> Scenario:
    """What this seed is about."""
    chance = Random(f"scenario {seed}")
    definition = _definition(chance)
    roughest = chance.choice(("c", "p", "p", "r", ""))
    return Scenario(
        seed=seed,
        definition=definition,
        sagas={f"s{number}": b'{"account":%d}' % chance.randint(1, 2) for number in range(chance.choice((1, 1, 2, 3)))},
        manners={step.name: _manner(chance, step.name, roughest) for step in definition.steps},
        faults=_faults(chance),
        storm=chance.choice((20, 100, 300)),
        slowness=chance.choice((0.0, 0.1, 0.3)),
    )


def _faults(chance: Random) -> Faults:
    def rate(most: float) -> float:
        return chance.choice((0.0, 0.0, most / 4, most))

    return Faults(
        rate(0.1),
        rate(0.3),
        rate(0.2),
        rate(0.3),
        rate(0.3),
        rate(0.05),
        rate(0.1),
        chance.choice((0.0, 0.0, 0.0, 0.02)),
        rate(0.03),
    )


def _manner(chance: Random, name: str, roughest: str) -> Manner:
    """Participants of one sort of step fail more often than others, so that sagas fail early, late, or hardly at all."""
    rough = 1.0 if name.startswith(roughest) else 0.1
    return Manner(
        failure=chance.choice((0.0, 0.4, 0.8, 1.0)) * rough,
        passing=chance.choice((0.0, 0.5, 1.0)),
        undo_failure=chance.choice((0.0, 0.0, 0.3, 1.0)),
        error=chance.choice((0.0, 0.0, 0.2)),
        dead=chance.random() < 0.07,
    )


def _definition(chance: Random) -> Saga:
    """Compensatable steps in any order of before and after, perhaps a pivot, perhaps retriable steps."""
    undoable = [f"c{number}" for number in range(chance.choice((0, 1, 1, 2, 3)))]
    firm = ["p"] if chance.random() < 0.7 else []
    retriable = [f"r{number}" for number in range(chance.choice((0, 1, 1, 2)) if undoable or firm else 1)]
    after: dict[str, tuple[str, ...]] = {}
    for place, name in enumerate(undoable):
        after[name] = tuple(other for other in undoable[:place] if chance.random() < 0.5)
    last = tuple(name for name in undoable if not any(name in before for before in after.values()))
    if firm:
        after["p"] = last
        last = ("p",)
    for place, name in enumerate(retriable):
        after[name] = last + tuple(other for other in retriable[:place] if chance.random() < 0.5)
    steps = [_step(chance, name, before) for name, before in after.items()]
    chance.shuffle(steps)
    return Saga(
        "simulated",
        1,
        tuple(steps),
        resource="input.account" if chance.random() < 0.3 else None,
        timeout=timedelta(seconds=chance.randint(1, 60)) if chance.random() < 0.3 else None,
    )


def _step(chance: Random, name: str, after: tuple[str, ...]) -> Step:
    undoable = name.startswith("c")
    retry = Retry(
        attempts=chance.choice((1, 2, 5)),
        first=timedelta(milliseconds=chance.choice((0, 100, 2000, 10_000))),
        factor=chance.choice((1.0, 2.0, 3.5)),
        most=timedelta(seconds=chance.choice((10, 60))),
        on=chance.choice(get_args(RetryOn)),
    )
    tokens = {other: f"replies.{other}.token" for other in after}
    return Step(
        name,
        f"Do-{name}",
        f"{name}-commands",
        compensation=f"Undo-{name}" if undoable else None,
        kind="compensatable" if undoable else "pivot" if name == "p" else "retriable",
        after=after,
        timeout=timedelta(seconds=chance.choice((1, 5, 30))),
        retry=retry,
        payload={"saga": "saga.id", "account": "input.account", **tokens} if chance.random() < 0.5 else None,
        compensation_topic=f"{name}-compensations" if undoable and chance.random() < 0.5 else None,
        compensation_retry=msgspec.structs.replace(retry, attempts=chance.choice((1, 3, 6))) if undoable else None,
    )
