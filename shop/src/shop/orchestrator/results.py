"""From what the orchestrator sends and tells to what stands in `purchase-result`. Pure.

| what is published | says |
|---|---|
| the command of a step | EXECUTE |
| StepCompleted, StepSkipped | SUCCESS |
| StepFailed, StepTimedOut | FAILED |
| StepCompensated, CompensationSkipped | ROLLBACK |
| SagaParked, of a compensation | ROLLBACK_FAILED |
| SagaCompleted | the purchase has ended: SUCCESS |
| SagaCompensated | the purchase has ended: FAILED |
| SagaAbandoned | the purchase has ended: ROLLBACK_FAILED |

A result's id is made of the message that it comes of: whoever makes it again makes the same.
"""

from __future__ import annotations

from typing import TypeAlias, cast, get_args

import msgspec

from sagacity.messaging import Envelope, Message
from sagacity.saga.decision import SagaEvent
from shop.contracts import topics
from shop.contracts.commands import EndResult, PurchaseEnded, PurchaseStepChanged, Step, StepResult

__all__ = ["PURCHASE_SAGA", "result_of"]

PURCHASE_SAGA = "purchase"
"""The name of the saga whose messages are read."""

_SOURCE = "/shop/orchestrator"
_STEPS: frozenset[str] = frozenset(get_args(Step))
_STEP_RESULTS: dict[str, StepResult] = {
    "StepCompleted": "SUCCESS",
    "StepSkipped": "SUCCESS",
    "StepFailed": "FAILED",
    "StepTimedOut": "FAILED",
    "StepCompensated": "ROLLBACK",
    "CompensationSkipped": "ROLLBACK",
}
_ENDS: dict[str, EndResult] = {
    "SagaCompleted": "SUCCESS",
    "SagaCompensated": "FAILED",
    "SagaAbandoned": "ROLLBACK_FAILED",
}
_event = msgspec.json.Decoder(SagaEvent).decode

Result: TypeAlias = PurchaseStepChanged | PurchaseEnded


def result_of(message: Message) -> Message | None:
    """What a message of the orchestrator says of a purchase; None where that is nothing."""
    envelope = message.envelope
    about = dict(envelope.extensions)
    if about.get("saganame") != PURCHASE_SAGA:
        return None
    said = _of_event(envelope, about) if message.topic == topics.SAGA_EVENTS else _of_command(envelope, about)
    if said is None:
        return None
    return Message(
        topics.PURCHASE_RESULT,
        Envelope(
            id=f"{envelope.id}/result",
            type=type(said).__name__,
            source=_SOURCE,
            time=envelope.time,
            key=envelope.key,
            subject=envelope.key,
            data=msgspec.json.encode(said),
            correlation_id=envelope.correlation_id,
            cause=envelope.id,
            traceparent=envelope.traceparent,
            tracestate=envelope.tracestate,
        ),
    )


def _of_command(envelope: Envelope, about: dict[str, str]) -> Result | None:
    step = about.get("sagastep")
    if about.get("sagadirection") != "do" or step not in _STEPS:
        return None
    return PurchaseStepChanged(envelope.key, cast(Step, step), "EXECUTE", envelope.time, None)


def _of_event(envelope: Envelope, about: dict[str, str]) -> Result | None:
    event = _event(envelope.data)
    if event.type in _ENDS:
        return PurchaseEnded(event.saga, _ENDS[event.type], event.time, event.cause)
    if event.step not in _STEPS:
        return None
    result = _STEP_RESULTS.get(event.type)
    if event.type == "SagaParked" and about.get("sagadirection") == "undo":
        result = "ROLLBACK_FAILED"
    return (
        None if result is None else PurchaseStepChanged(event.saga, cast(Step, event.step), result, event.time, event.cause)
    )
