"""One trace a purchase: what is told while a message is handled belongs to the trace of that message."""

from __future__ import annotations

from sagacity import correlation
from sagacity.correlation import TraceParent
from sagacity.messaging import Envelope
from shop.chassis.told import told
from shop.chassis.traced import handling
from shop.contracts.events import OrderCancelled

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
EVENT = OrderCancelled("7", "21")


def command(traceparent: str | None) -> Envelope:
    return Envelope(id="7/x/do/1", type="X", source="/s", time=1, key="7", correlation_id="7", traceparent=traceparent)


def test_what_is_told_while_a_message_is_handled_is_of_its_trace() -> None:
    with handling(command(TRACE)):
        found = correlation.current()
        assert found is not None
        assert (found.id, found.traceparent) == ("7", TRACE)
        event = told(EVENT, service="order", id="1", time=1).envelope
    parent = TraceParent.parse(event.traceparent or "")
    assert parent is not None
    assert parent.trace_id == "0af7651916cd43dd8448eb211c80319c"


def test_without_a_trace_of_its_own_it_is_of_its_causes() -> None:
    assert told(EVENT, service="order", id="1", time=1, cause=command(TRACE)).envelope.traceparent == TRACE
    assert told(EVENT, service="order", id="1", time=1).envelope.traceparent is None


def test_a_trace_that_is_none_hinders_nobody() -> None:
    with handling(command("nonsense")):
        assert told(EVENT, service="order", id="1", time=1).envelope.traceparent is None
