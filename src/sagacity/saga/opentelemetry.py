"""Spans by OpenTelemetry, one trace for each saga.

| span | kind | from | to |
|---|---|---|---|
| `start <saga>` | producer | a saga is asked for | at once; all others of it are its children |
| `<saga>` | internal | its start | its end |
| `<saga> <step>`, `undo <saga> <step>` | client | the command's first sending | its success, failure or lasting silence |
| the command's type | consumer | a handler begins | it ends; what it calls is within |

Raises UsageError on import where the extra `otel` is not installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

from sagacity.errors import UsageError

if find_spec("opentelemetry") is None:
    raise UsageError("spans need the package opentelemetry-api", hint="pip install '.[otel]' in a clone of Sagacity")

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from sagacity.correlation import current
from sagacity.messaging import Envelope
from sagacity.saga.decision import SagaEvent
from sagacity.saga.messages import Address
from sagacity.saga.state import SagaState
from sagacity.saga.tracing import Untraced

__all__ = ["OpenTelemetryTracer", "is_set_up"]

_PROPAGATOR = TraceContextTextMapPropagator()
_STEP_ENDS = {"StepCompleted": True, "StepCompensated": True, "StepFailed": False, "StepTimedOut": False}
_ENDS = ("SagaCompleted", "SagaCompensated", "SagaAbandoned")


def is_set_up() -> bool:
    """Whether spans would go anywhere: whether this process has a provider of tracers."""
    return not isinstance(trace.get_tracer_provider(), (trace.ProxyTracerProvider, trace.NoOpTracerProvider))


class OpenTelemetryTracer:
    """See `sagacity.saga.tracing.Tracer`. Its spans go to this provider, the process's own unless one is given."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("sagacity.saga", tracer_provider=provider)
        self._untraced = Untraced()

    def started(self, definition: str, id: str, traceparent: str | None) -> str:
        """Within the trace given, else the span or correlation that is here and now, else a new trace."""
        bound = current()
        if traceparent is None and not trace.get_current_span().get_span_context().is_valid and bound is not None:
            traceparent = bound.traceparent
        context = None if traceparent is None else _context(traceparent)
        span = self._tracer.start_span(f"start {definition}", context, SpanKind.PRODUCER, {"saga.id": id})
        span.end()
        return _traceparent(span) or self._untraced.started(definition, id, traceparent)

    @contextmanager
    def handling(self, command: Envelope, where: Address) -> Iterator[str | None]:
        """A span around the handler, which is the current one within."""
        about: dict[str, str | int] = {
            "saga.id": where.saga, "saga.step": where.step, "saga.direction": where.direction, "saga.attempt": where.attempt,
            "messaging.message.id": command.id,
        }  # fmt: skip
        context = _context(command.traceparent)
        with self._tracer.start_as_current_span(command.type, context, SpanKind.CONSUMER, about) as span:
            yield _traceparent(span) or command.traceparent

    def settled(self, happened: Sequence[tuple[SagaState, Sequence[SagaEvent]]]) -> None:
        """Spans of steps and sagas that have ended, with the times that they took."""
        for saga, events in happened:
            for event in events:
                if event.type in _STEP_ENDS:
                    self._step(saga, event)
                elif event.type in _ENDS:
                    self._span(saga, event, saga.definition, saga.started, SpanKind.INTERNAL, fine=True)

    def _step(self, saga: SagaState, event: SagaEvent) -> None:
        step = saga.steps[event.step or ""]
        undone = "undo " if event.type == "StepCompensated" else ""
        began = event.time if step.asked is None else step.asked
        name = f"{undone}{saga.definition} {event.step}"
        self._span(saga, event, name, began, SpanKind.CLIENT, fine=_STEP_ENDS[event.type])

    def _span(self, saga: SagaState, event: SagaEvent, name: str, began: int, kind: SpanKind, *, fine: bool) -> None:
        about: dict[str, str | int] = {"saga.id": saga.id, "saga.version": saga.version, "saga.status": saga.status}
        if event.step is not None:
            about["saga.step"] = event.step
        if event.attempt is not None:
            about["saga.attempt"] = event.attempt
        span = self._tracer.start_span(name, _context(saga.traceparent), kind, about, start_time=began * 1000)
        if not fine:
            span.set_status(Status(StatusCode.ERROR, event.cause))
        span.end(event.time * 1000)


def _context(traceparent: str | None) -> Context:
    """As if there were no other trace about."""
    return _PROPAGATOR.extract({} if traceparent is None else {"traceparent": traceparent}, Context())


def _traceparent(span: trace.Span) -> str | None:
    carried: dict[str, str] = {}
    _PROPAGATOR.inject(carried, trace.set_span_in_context(span))
    return carried.get("traceparent")
