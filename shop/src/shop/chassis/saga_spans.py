"""Spans of sagas' starts, steps and handlers, in the traces of the service."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from sagacity.messaging import Envelope
from sagacity.saga.decision import SagaEvent
from sagacity.saga.messages import Address
from sagacity.saga.state import SagaState
from sagacity.saga.tracing import Tracer, Untraced
from shop.chassis.telemetry import Telemetry

__all__ = ["SagaSpans"]


class SagaSpans:
    """What an orchestrator or a participant is given as its `tracer`, before the service's telemetry has begun: it makes
    spans for as long as that is entered, and there is a collector."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._untraced = Untraced()
        self._made: tuple[object, Tracer] | None = None

    def started(self, definition: str, id: str, traceparent: str | None) -> str:
        return self._tracer.started(definition, id, traceparent)

    def handling(self, command: Envelope, where: Address) -> AbstractContextManager[str | None]:
        return self._tracer.handling(command, where)

    def settled(self, happened: Sequence[tuple[SagaState, Sequence[SagaEvent]]]) -> None:
        self._tracer.settled(happened)

    @property
    def _tracer(self) -> Tracer:
        provider = self._telemetry.provider
        if provider is None:
            return self._untraced
        if self._made is None or self._made[0] is not provider:
            from sagacity.saga.opentelemetry import OpenTelemetryTracer

            self._made = (provider, OpenTelemetryTracer(provider))
        return self._made[1]
