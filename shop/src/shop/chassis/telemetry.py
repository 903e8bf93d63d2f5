"""Traces by OpenTelemetry, on if there is a collector to send them to. Off, everything here does nothing.

A span's parent is the trace context that `sagacity.correlation` has bound, and within the span it is the span that is
bound: so what is sent from within, over HTTP, gRPC or Kafka, belongs to it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sagacity import correlation
from sagacity.correlation import TraceParent
from shop.chassis.parts import Otlp

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

__all__ = ["Kind", "Telemetry", "own_traces", "span"]

Kind: TypeAlias = Literal["server", "client", "producer", "consumer", "internal"]


class _Held:
    """The tracer of a service; None where there are no traces."""

    tracer: Any = None


_process = _Held()
"""Whatever a library calls in a context that is nobody's belongs to the service whose process it is."""
_own: ContextVar[_Held] = ContextVar("own", default=_process)


@contextlib.contextmanager
def own_traces() -> Iterator[None]:
    """Around the run of a service: its spans are its own, also where several services share a process."""
    token = _own.set(_Held())
    try:
        yield
    finally:
        _own.reset(token)


class Telemetry:
    """A service's traces: a part, added first, so that the last spans are still sent. `exporter` is for tests."""

    def __init__(self, service: str, settings: Otlp, *, exporter: SpanExporter | None = None) -> None:
        self._service = service
        self._settings = settings
        self._exporter = exporter
        self._provider: TracerProvider | None = None
        self._tracer: Any = None

    @property
    def provider(self) -> TracerProvider | None:
        """Who makes the service's spans, while it is entered; None where there are no traces."""
        return self._provider

    async def __aenter__(self) -> Telemetry:
        if self._settings.endpoint or self._exporter:
            self._provider = _provider(self._service, self._settings, self._exporter)
            self._tracer = _own.get().tracer = self._provider.get_tracer("shop")
            _process.tracer = _process.tracer or self._tracer
        return self

    async def __aexit__(self, *_: object) -> None:
        provider, self._provider = self._provider, None
        if provider is not None:
            for held in (_own.get(), _process):
                held.tracer = None if held.tracer is self._tracer else held.tracer
            await asyncio.to_thread(provider.shutdown)


@contextlib.contextmanager
def span(name: str, kind: Kind = "internal", attributes: Mapping[str, str | int] | None = None) -> Iterator[Any]:
    """A span for the time of a block; gives OpenTelemetry's, or None where there are no traces. An exception marks it."""
    tracer = _own.get().tracer or _process.tracer
    if tracer is None:
        yield None
        return
    from opentelemetry import trace

    found = correlation.current()
    parent = TraceParent.parse(found.traceparent) if found and found.traceparent else None
    around = trace.set_span_in_context(trace.NonRecordingSpan(_context(parent))) if parent else None
    with tracer.start_as_current_span(
        name, context=around, kind=trace.SpanKind[kind.upper()], attributes=dict(attributes or {})
    ) as opened:
        if found is not None:
            opened.set_attribute("correlation.id", found.id)
        own = opened.get_span_context()
        header = TraceParent(f"{own.trace_id:032x}", f"{own.span_id:016x}", int(own.trace_flags))
        with correlation.bound(traceparent=str(header), tracestate=found.tracestate if found else None):
            yield opened


def _context(parent: TraceParent) -> Any:
    from opentelemetry import trace

    return trace.SpanContext(
        int(parent.trace_id, 16), int(parent.parent_id, 16), is_remote=True, trace_flags=trace.TraceFlags(parent.flags)
    )


def _provider(service: str, settings: Otlp, exporter: SpanExporter | None) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    resource = Resource.create({"service.name": service, "service.namespace": "shop"})
    provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(settings.ratio)))
    if exporter is not None:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    if settings.endpoint:
        endpoint = settings.endpoint.rstrip("/") + "/v1/traces"
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return provider
