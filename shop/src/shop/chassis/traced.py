"""Handling a message is part of the trace, and of the correlation, of whoever sent it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sagacity import correlation
from sagacity.correlation import Correlation
from sagacity.errors import UsageError
from sagacity.messaging import Envelope
from shop.chassis.telemetry import span

__all__ = ["handling"]


@contextlib.contextmanager
def handling(envelope: Envelope) -> Iterator[None]:
    """Bind what a message carries for the time of a block, with a span around it."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(UsageError):  # what cannot be carried on is left behind
            carried = Correlation(envelope.correlation_id or envelope.key, envelope.traceparent, envelope.tracestate)
            stack.enter_context(correlation.bound(carried))
        told: dict[str, str | int] = {"messaging.system": "kafka", "messaging.message.id": envelope.id}
        stack.enter_context(span(f"process {envelope.type}", "consumer", told))
        yield
