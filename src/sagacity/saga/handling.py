"""One run of one handler, within the savepoint that is its own."""

from __future__ import annotations

import asyncio

import msgspec

from sagacity.correlation import Correlation, bound
from sagacity.errors import StoreError
from sagacity.messaging import Envelope
from sagacity.saga.barrier import Standing
from sagacity.saga.handlers import BusinessFailure, Handlers
from sagacity.saga.messages import Address
from sagacity.saga.postgres.connection import Held
from sagacity.saga.postgres.transaction import Transaction

__all__ = ["Passing", "handle", "may_pass"]


class Passing(Exception):  # noqa: N818 - it says what the failure is
    """A handler has failed for what may pass. What it did is undone."""


async def handle(handlers: Handlers, envelope: Envelope, where: Address, held: Held, timeout: float) -> Standing:
    """What the command's handler answers. `timeout` is in seconds.

    Raises Unfit for a command that no attempt would make any better, Passing for a failure that may pass, and StoreError
    where the connection is lost.
    """
    handler, command = handlers.find(envelope, where)
    transaction = Transaction(held)
    carried = Correlation(envelope.correlation_id or where.saga, envelope.traceparent, envelope.tracestate)
    try:
        with bound(carried):
            async with asyncio.timeout(timeout):
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
    return Standing(where.direction, where.attempt, success=True, data=msgspec.Raw(data))


def may_pass(standing: Standing) -> bool:
    """Whether a failure is thought passing: a failure's data says so."""
    return not standing.success and bytes(standing.data) == b"true"
