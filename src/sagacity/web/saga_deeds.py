"""What people order of sagas by way of the web: the same for API and pages.

Each order is kept in the sagas' database, with who gave it and why; the server's own audit log has a line of it beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sagacity.errors import SagacityError, UsageError
from sagacity.web.context import Served
from sagacity.web.deeds import asked
from sagacity.web.identity import Identity
from sagacity.web.logs import log
from sagacity.web.problem import Refused
from sagacity.web.saga_desk import SagaDesk

if TYPE_CHECKING:
    from sagacity.saga.happenings import Order
    from sagacity.saga.postgres.orders import Placed

__all__ = ["desk_of", "no_saga", "order_of", "redrive_letters"]

_WAITED = 2.0
"""Seconds that an answer waits for an orchestrator to carry an order out."""


def desk_of(served: Served) -> SagaDesk:
    """The sagas that this server shows. Raises Refused with 404 where it shows none."""
    if served.sagas is None:
        raise Refused(404, "this server shows no sagas", "sagacity serve --sagas postgresql://host/name")
    return served.sagas


def no_saga(id: str) -> Refused:
    """What is answered where there is no such saga."""
    return Refused(404, f"there is no saga {id[:200]}", "GET /api/v1/sagas lists them")


async def order_of(served: Served, who: Identity, id: str, order: Order, step: str | None, reason: str) -> Placed:
    """Give an order, and wait a moment for what becomes of it. Raises Refused: 404 where there is no such saga, 409 where it
    makes no sense as the saga stands, with what may be ordered instead; and as the desk does."""
    desk = desk_of(served)
    if not reason.strip():
        raise Refused(400, "an order needs a reason", "say why; it is kept with the order")
    what = f"{order} {step}" if step else order
    try:
        placed = await desk.order(id, order, by=who.name, reason=reason.strip(), step=step)
    except UsageError as refused:
        if getattr(refused, "number", None) is None:
            raise no_saga(id) if hasattr(refused, "number") else refused from None
        await _audit(served, who, f"order {what} of saga {id}: refused: {refused.message}")
        raise Refused(409, refused.message, refused.hint) from None
    await _audit(served, who, f"order {what} of saga {id}: {reason.strip()}")
    placed = await desk.awaited(placed, _WAITED)
    if placed.outcome not in (None, "done"):
        detail, _, hint = str(placed.outcome).partition("\n  hint: ")
        raise Refused(409, detail, hint or None)
    return placed


async def redrive_letters(served: Served, who: Identity, numbers: Sequence[int]) -> int:
    """Have dead letters done again; how many."""
    done = await desk_of(served).redrive(numbers, who.name)
    count = done.sent + len(done.ordered)
    await _audit(served, who, f"redrive {count} dead letters of sagas: {', '.join(map(str, numbers))[:200]}")
    return count


async def _audit(served: Served, who: Identity, what: str) -> None:
    """The order is kept already, and done: that the ledger cannot be written to for now must not make it look otherwise."""
    try:
        await asked(served, lambda ledger: ledger.audit(who.name, what, served.now()))
    except (Refused, SagacityError) as error:
        log().warning("not in the audit log", by=who.name, what=what[:500], reason=str(error))
