"""One run of one handler, within the savepoint that is its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Protocol

import msgspec

from sagacity.correlation import Correlation, bound
from sagacity.errors import StoreError
from sagacity.messaging import Envelope
from sagacity.messaging.meter import Meter
from sagacity.saga.barrier import Standing
from sagacity.saga.handlers import BusinessFailure, Handlers
from sagacity.saga.messages import Address
from sagacity.saga.postgres.connection import Held
from sagacity.saga.postgres.transaction import Transaction
from sagacity.saga.tracing import Tracer

__all__ = ["Host", "Passing", "handle", "may_pass"]


class Passing(Exception):  # noqa: N818 - it says what the failure is
    """A handler has failed for what may pass. What it did is undone."""


class Host(Protocol):
    """What is needed of the participant. `timeout` is in seconds, for one run of a handler."""

    name: str
    source: str
    dead_letters: str | None
    timeout: float
    clock: Callable[[], int]
    handlers: Handlers
    meter: Meter
    tracer: Tracer


async def handle(host: Host, envelope: Envelope, where: Address, held: Held) -> Standing:
    """What the command's handler answers.

    Raises Unfit for a command that no attempt would make any better, Passing for a failure that may pass, and StoreError
    where the connection is lost.
    """
    handler, command = host.handlers.find(envelope, where)
    transaction = Transaction(held)
    began = perf_counter()
    try:
        with (
            host.tracer.handling(envelope, where) as traceparent,
            bound(Correlation(envelope.correlation_id or where.saga, traceparent, envelope.tracestate)),
        ):
            async with asyncio.timeout(host.timeout):
                data = msgspec.json.encode(await handler(command, transaction))
        await transaction.keep()
    except BusinessFailure as failure:
        await transaction.undo()
        passing = msgspec.Raw(msgspec.json.encode(failure.transient))
        return Standing(where.direction, where.attempt, success=False, data=passing, reason=failure.reason)
    except Exception as error:
        if transaction.lost:
            raise StoreError(f"the database: {error}", hint="it is tried again") from error
        await transaction.undo()
        raise Passing(f"{type(error).__name__}: {error}") from error
    finally:
        host.meter.observe("sagacity_participant_seconds", (host.name, envelope.type), perf_counter() - began)
    return Standing(where.direction, where.attempt, success=True, data=msgspec.Raw(data))


def may_pass(standing: Standing) -> bool:
    """Whether a failure is thought passing: a failure's data says so."""
    return not standing.success and bytes(standing.data) == b"true"
