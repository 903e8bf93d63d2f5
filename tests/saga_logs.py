"""What simulated sagas leave behind, as the records that workflows read: events, commands, replies, and rows of tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from sagacity.messaging import Envelope
from sagacity.saga.definition import Effect, Retry, Saga, Step
from sagacity.testing.simulation.scenario import Faults, Manner, Scenario
from sagacity.testing.simulation.world import Run, World

__all__ = ["AUDITED", "Log", "gathered", "record", "simulated", "written"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _effect(step: str, *, undone: bool) -> Effect:
    return Effect(
        source=f"{step}-rows", key="saga", done="action = 'do'", time="at",
        undone="action = 'undo'" if undone else None, id="row",
    )  # fmt: skip


def _audited() -> Saga:
    """Two steps beside each other that can be undone, one after both, a pivot, two steps that are bound to succeed."""
    retry = Retry(attempts=3, first=timedelta(seconds=1), most=timedelta(seconds=5), on="transient")
    undoable = (("reserve", ()), ("hold", ()), ("order", ("reserve", "hold")))
    steps = [
        Step(name, f"Do-{name}", f"{name}-commands", f"Undo-{name}", after=after, timeout=timedelta(seconds=20),
             retry=retry, effect=_effect(name, undone=True))
        for name, after in undoable
    ]  # fmt: skip
    steps.append(Step("pay", "Do-pay", "pay-commands", kind="pivot", retry=retry, effect=_effect("pay", undone=False)))
    for name in ("ship", "tell"):
        steps.append(Step(name, f"Do-{name}", f"{name}-commands", kind="retriable", after=("pay",), retry=retry))
    return Saga("audited", 3, tuple(steps))


AUDITED = _audited()

CALM = Faults(crash=0.05, lose=0.2, duplicate=0.2, reorder=0.2, held_up=0.05)
"""Everything that a saga withstands without anybody's noticing."""

Log = dict[str, list[dict[str, Any]]]
"""Records by source."""


def simulated(seed: int, faults: Faults = CALM, *, dead: float = 0.0) -> Run:
    """Three sagas of the audited definition, whose ids begin with the seed."""
    chance = Random(f"audited {seed}")
    failing = chance.choice([*AUDITED.by_name, "", ""])
    manners = {
        name: Manner(
            failure=1.0 if name == failing and step.kind != "retriable" else 0.0,
            undo_failure=chance.choice((0.0, 0.3)),
            error=chance.choice((0.0, 0.2)),
            dead=chance.random() < dead,
        )
        for name, step in AUDITED.by_name.items()
    }
    sagas = {f"{seed}-{number}": b"{}" for number in range(3)}
    run = World(Scenario(seed, AUDITED, sagas, manners, faults, chance.choice((40, 150)), 0.0)).run()
    assert run.broken is None, run.broken
    return run


def gathered(runs: Iterable[Run]) -> Log:
    """The records of these runs. What was delivered twice stands there twice."""
    log: Log = {"saga-events": [], "commands": [], "replies": []}
    for step in AUDITED.steps:
        if step.effect is not None:
            log[step.effect.source] = []
    for run in runs:
        for topic, envelopes in run.topics.items():
            source = {"saga-events": "saga-events", "saga-replies": "replies"}.get(topic, "commands")
            if topic != "starts":
                log[source] += [record(envelope) for envelope in envelopes]
        for number, (name, saga, action, time) in enumerate(run.effects):
            if f"{name}-rows" in log:
                row = f"{saga}-{number}"
                log[f"{name}-rows"].append({"row": row, "saga": saga, "action": action, "at": _text(time)})
    return log


def written(log: Log, folder: Path) -> dict[str, Path]:
    """The log as files of JSON lines, by source."""
    files = {}
    for source, records in log.items():
        files[source] = folder / f"{source}.jsonl"
        lines = [msgspec.json.encode(record) for record in records]
        files[source].write_bytes(b"\n".join(lines) + b"\n")
    return files


def record(envelope: Envelope) -> dict[str, Any]:
    """A message as a record of a source."""
    return {
        "specversion": "1.0", "id": envelope.id, "source": envelope.source, "type": envelope.type,
        "time": _text(envelope.time), **dict(envelope.extensions), "data": msgspec.json.decode(envelope.data),
    }  # fmt: skip


def _text(time: int) -> str:
    return (_EPOCH + timedelta(microseconds=time)).isoformat()
