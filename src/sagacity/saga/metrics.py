"""What is measured of sagas, and how it follows from what is told of them.

The measures are a table; docs/saga.md has it too. `sagacity.saga.prometheus` gives them to Prometheus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import TYPE_CHECKING

from sagacity.messaging.meter import OUTBOX_MEASURES, Labels, Measure, Meter, Tally
from sagacity.saga.decide import SILENT
from sagacity.saga.decision import SagaEvent, SagaEventType
from sagacity.saga.state import SagaState

if TYPE_CHECKING:
    from sagacity.saga.settling import Settled

__all__ = ["MEASURES", "Measure", "Meter", "Tally", "measure", "measure_open"]

_STARTED = "sagacity_sagas_started_total"
_ENDED = "sagacity_sagas_ended_total"
_SECONDS = "sagacity_saga_seconds"
_STEP_SECONDS = "sagacity_saga_step_seconds"
_STEP_FAILURES = "sagacity_saga_step_failures_total"
_RETRIES = "sagacity_saga_retries_total"
_TIMEOUTS = "sagacity_saga_timeouts_total"
_PARKED = "sagacity_saga_parked_total"
_OLDEST = "sagacity_saga_parked_oldest_seconds"
_IGNORED = "sagacity_saga_replies_ignored_total"

MEASURES = (
    Measure(_STARTED, "counter", ("saga",), "Sagas started"),
    Measure(_ENDED, "counter", ("saga", "outcome"), "Sagas ended: completed, compensated or abandoned"),
    Measure(_SECONDS, "histogram", ("saga", "outcome"), "From a saga's start to its end"),
    Measure("sagacity_sagas", "gauge", ("saga", "status"), "Sagas in the database that have not ended, by status"),
    Measure(_OLDEST, "gauge", ("saga",), "Since the oldest of those that are parked was started; 0 where none is"),
    Measure(_STEP_SECONDS, "histogram", ("saga", "step", "direction"), "From a command's first sending to its success"),
    Measure(_STEP_FAILURES, "counter", ("saga", "step"), "Steps that failed for good"),
    Measure(_RETRIES, "counter", ("saga", "step", "direction"), "Commands given again"),
    Measure(_TIMEOUTS, "counter", ("saga", "step", "direction"), "Commands whose answer did not come in time"),
    Measure(_PARKED, "counter", ("saga",), "How often sagas were parked"),
    Measure(_IGNORED, "counter", ("reason",), "Replies that did not count: late, foreign or doubled"),
    Measure(
        "sagacity_participant_commands_total",
        "counter",
        ("participant", "result"),
        "Commands by what became of them: done, failed, recorded, refused, answered again, retried, buried",
    ),
    Measure("sagacity_participant_seconds", "histogram", ("participant", "command"), "How long handlers run"),
    *OUTBOX_MEASURES,
)
"""All that is measured. `direction` is `do` or `undo`."""


def measure(meter: Meter, settled: Settled) -> None:
    """Tell a meter of a transaction that is committed."""
    for saga, events in settled.happened:
        for event in events:
            row = _TELLS.get(event.type)
            if row is not None:
                row(meter, saga, event)
    for what, many in settled.counts.items():
        if what.startswith("ignored "):
            meter.count(_IGNORED, (what.removeprefix("ignored "),), many)


def measure_open(
    meter: Meter, counts: Iterable[tuple[str, str, int]], parked: Iterable[tuple[str, int]], known: Set[str], now: int
) -> None:
    """Tell a meter of sagas that have not ended: how many by definition and status, and when the oldest of those that are
    parked was started. Of each definition that is known, 0 included."""
    none: dict[Labels, float] = {(name, status): 0.0 for name in known for status in _OPEN}
    meter.levels("sagacity_sagas", none | {(name, status): float(many) for name, status, many in counts})
    young: dict[Labels, float] = {(name,): 0.0 for name in known}
    meter.levels(_OLDEST, young | {(name,): max(0.0, (now - started) / 1e6) for name, started in parked})


_OPEN = ("waiting", "running", "compensating", "parked")


def _started(meter: Meter, saga: SagaState, _: SagaEvent) -> None:
    meter.count(_STARTED, (saga.definition,))


def _ended(meter: Meter, saga: SagaState, event: SagaEvent) -> None:
    meter.count(_ENDED, (saga.definition, saga.status))
    meter.observe(_SECONDS, (saga.definition, saga.status), (event.time - saga.started) / 1e6)


def _succeeded(meter: Meter, saga: SagaState, event: SagaEvent) -> None:
    asked = saga.steps[event.step or ""].asked
    if asked is not None:
        meter.observe(_STEP_SECONDS, _of_step(saga, event), (event.time - asked) / 1e6)


def _failed(meter: Meter, saga: SagaState, event: SagaEvent) -> None:
    meter.count(_STEP_FAILURES, (saga.definition, event.step or ""))


def _retried(meter: Meter, saga: SagaState, event: SagaEvent) -> None:
    meter.count(_RETRIES, _of_step(saga, event))
    _timed_out(meter, saga, event)


def _parked(meter: Meter, saga: SagaState, event: SagaEvent) -> None:
    meter.count(_PARKED, (saga.definition,))
    _timed_out(meter, saga, event)


def _timed_out(meter: Meter, saga: SagaState, event: SagaEvent) -> None:
    if event.cause == SILENT and event.step is not None:
        meter.count(_TIMEOUTS, _of_step(saga, event))


_TELLS: Mapping[SagaEventType, Callable[[Meter, SagaState, SagaEvent], None]] = {
    "SagaStarted": _started,
    "StepCompleted": _succeeded,
    "StepCompensated": _succeeded,
    "StepFailed": _failed,
    "StepTimedOut": _timed_out,
    "StepRetried": _retried,
    "CompensationRetried": _retried,
    "SagaParked": _parked,
    "SagaCompleted": _ended,
    "SagaCompensated": _ended,
    "SagaAbandoned": _ended,
}


def _of_step(saga: SagaState, event: SagaEvent) -> Labels:
    undo = event.command is not None and event.command.rsplit("/", 2)[1] == "undo"
    return (saga.definition, event.step or "", "undo" if undo else "do")
