"""One trace for each saga: the port by which spans are made, and what goes on where nobody makes any.

A saga's `traceparent` is in every command, reply and event of it, whether spans are made or not.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Protocol

from sagacity.correlation import current
from sagacity.correlation.traceparent import TraceParent
from sagacity.messaging import Envelope
from sagacity.saga.decision import SagaEvent
from sagacity.saga.messages import Address
from sagacity.saga.state import SagaState

__all__ = ["Tracer", "Untraced", "chosen"]


class Tracer(Protocol):
    """Told of sagas as they go. It must cost little, wait for nothing and never raise."""

    def started(self, definition: str, id: str, traceparent: str | None, /) -> str:
        """A saga is to be started, on behalf of this trace: the traceparent that all its messages carry."""
        ...

    def handling(self, command: Envelope, where: Address, /) -> AbstractContextManager[str | None]:
        """Around a run of a handler: the traceparent for what the handler calls."""
        ...

    def settled(self, happened: Sequence[tuple[SagaState, Sequence[SagaEvent]]]) -> None:
        """These were told of sagas, and are committed; with how each saga stood then."""
        ...


class Untraced:
    """Makes no spans. A saga that is started on behalf of no trace begins one, so that whoever makes spans elsewhere has all
    of it in one."""

    def started(self, _definition: str, _id: str, traceparent: str | None) -> str:
        """The trace given, else the one that is bound here and now, else a new one."""
        bound = current()
        return traceparent or (bound and bound.traceparent) or str(TraceParent.generate(secrets.token_hex))

    def handling(self, command: Envelope, _where: Address) -> AbstractContextManager[str | None]:
        """What the command carries."""
        return nullcontext(command.traceparent)

    def settled(self, happened: Sequence[tuple[SagaState, Sequence[SagaEvent]]]) -> None:
        """Nothing is made of it."""


def chosen() -> Tracer:
    """OpenTelemetry's spans where this process has set up a provider of tracers for it by now; else none."""
    if find_spec("opentelemetry") is not None:
        from sagacity.saga.opentelemetry import OpenTelemetryTracer, is_set_up

        if is_set_up():
            return OpenTelemetryTracer()
    return Untraced()
