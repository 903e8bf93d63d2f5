"""One trace for each saga: in what is sent, and in the spans that OpenTelemetry is given."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest

from postgres_stories import Publishing, eventually
from sagacity.correlation import bound, current
from sagacity.correlation.traceparent import TraceParent
from sagacity.saga import BusinessFailure, Command, Orchestrator, Participant, Saga, Step, Transaction
from sagacity.saga.postgres import install, install_participant
from sagacity.saga.tracing import Tracer, Untraced

PURCHASE = Saga(
    "purchase", 1, (Step("reserve", "Reserve", "shop", "Release"), Step("pay", "Pay", "shop", kind="pivot"))
)  # fmt: skip
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def _sold(dsn: str, tracer: Tracer, traceparent: str | None = None) -> tuple[Publishing, list[str | None]]:
    """A purchase that is compensated; what was published, and the traces that handlers were within."""
    await install(dsn)
    await install_participant(dsn)
    shop, within = Participant("shop", dsn, tracer=tracer), []

    @shop.handles("Reserve")
    async def reserve(_command: Command, _: Transaction) -> None:
        correlation = current()
        within.append(None if correlation is None else correlation.traceparent)

    @shop.compensates("Release")
    async def release(command: Command, _: Transaction) -> None: ...

    @shop.handles("Pay")
    async def pay(_command: Command, _: Transaction) -> None:
        raise BusinessFailure("declined")

    published = Publishing()
    orchestrator = Orchestrator(dsn, [PURCHASE], local={"shop": shop}, tracer=tracer)
    running = asyncio.create_task(orchestrator.run(publisher=published))
    try:
        async with asyncio.timeout(60):
            await orchestrator.start("purchase", "p-1", {}, traceparent=traceparent)
            assert (await orchestrator.ended("p-1")).status == "compensated"
            await eventually(lambda: any(each.envelope.type == "SagaCompensated" for each in published.kept))
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await shop.close()
    return published, within


def _traces(traceparents: Sequence[str | None]) -> set[str]:
    found = [TraceParent.parse(each or "") for each in traceparents]
    return {"none" if each is None else each.trace_id for each in found}


def test_a_saga_that_is_started_on_behalf_of_no_trace_begins_one(database: str) -> None:
    published, within = asyncio.run(_sold(database, Untraced()))
    traces = _traces([*(each.envelope.traceparent for each in published.kept), *within])
    assert len(traces) == 1
    assert traces != {"none"}


def test_it_goes_on_with_the_trace_that_is_given_or_bound(database: str) -> None:
    async def story() -> None:
        published, within = await _sold(database, Untraced(), CALLER)
        assert {each.envelope.traceparent for each in published.kept} | set(within) == {CALLER}

    asyncio.run(story())
    with bound("c", traceparent=CALLER):
        assert Untraced().started("purchase", "p-2", None) == CALLER


def test_spans_of_all_that_takes_part_are_of_one_trace(database: str) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="OpenTelemetry's SDK is not installed")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from sagacity.saga.opentelemetry import OpenTelemetryTracer

    provider, spans = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    published, within = asyncio.run(_sold(database, OpenTelemetryTracer(provider), CALLER))
    finished = {span.name: span for span in spans.get_finished_spans()}
    assert set(finished) == {
        "start purchase", "purchase reserve", "purchase pay", "undo purchase reserve", "purchase",
        "Reserve", "Pay", "Release",
    }  # fmt: skip
    assert {f"{span.context.trace_id:032x}" for span in finished.values()} == {CALLER[3:35]}
    start = finished["start purchase"]
    assert start.parent is not None
    assert f"{start.parent.span_id:016x}" == CALLER[36:52]
    others = [span for name, span in finished.items() if name != "start purchase"]
    assert {span.parent.span_id for span in others if span.parent} == {start.context.span_id}
    assert finished["purchase pay"].status.description == "declined"
    assert {each.envelope.traceparent for each in published.kept} == {f"00-{CALLER[3:35]}-{start.context.span_id:016x}-01"}
    assert within == [f"00-{CALLER[3:35]}-{finished['Reserve'].context.span_id:016x}-01"]
    for span in others:
        assert span.start_time is not None
        assert span.end_time is not None
        assert span.start_time <= span.end_time
