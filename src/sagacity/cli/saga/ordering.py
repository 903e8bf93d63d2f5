"""`sagacity saga retry`, `skip`, `compensate`, `abandon` and `resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sagacity.cli.saga.database import DATABASE, asked
from sagacity.errors import UsageError

if TYPE_CHECKING:
    from sagacity.saga.happenings import Order
    from sagacity.saga.postgres.operations import Operations
    from sagacity.saga.postgres.orders import Placed

__all__ = ["BY", "ORDERS", "whoever"]

_ID = Annotated[str, typer.Argument(metavar="ID", help="The saga.", show_default=False)]
_REASON = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept with the order.", show_default=False)
]
BY = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who orders it. Default: the user here.", show_default=False)
]
_STEP = Annotated[
    str | None,
    typer.Option("--step", metavar="NAME", help="Which step, where several are parked.", show_default=False),
]
_WAIT = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, max=3600, help="How long to wait until it is carried out.")
]
_WAITED = 10.0


def retry(
    id: _ID, reason: _REASON, step: _STEP = None, by: BY = None, wait: _WAIT = _WAITED, database: DATABASE = None
) -> None:
    """Give a parked step's command again: the same if it was never answered, else a new one; with a fresh count of attempts.

    \b
    Examples:
      sagacity saga retry purchase-17 --reason "the bank is back"
      sagacity saga retry purchase-17 --step ship-order --reason "the depot is open again"
    """
    _order("retry", id, reason, step, by, wait, database)


def skip(
    id: _ID, reason: _REASON, step: _STEP = None, by: BY = None, wait: _WAIT = _WAITED, database: DATABASE = None
) -> None:
    """Go on as if a parked step had succeeded; of the pivot, only if you know that it was done.

    \b
    Examples:
      sagacity saga skip purchase-17 --reason "sent by hand, parcel 9921"
    """
    _order("skip", id, reason, step, by, wait, database)


def compensate(id: _ID, reason: _REASON, by: BY = None, wait: _WAIT = _WAITED, database: DATABASE = None) -> None:
    """Turn a saga back, before its point of no return was, or may have been, reached.

    \b
    Examples:
      sagacity saga compensate purchase-17 --reason "the customer has called it off"
    """
    _order("compensate", id, reason, None, by, wait, database)


def abandon(id: _ID, reason: _REASON, by: BY = None, wait: _WAIT = _WAITED, database: DATABASE = None) -> None:
    """End a parked saga as it stands. Nothing more is done or undone: whoever orders it puts right what is left.

    \b
    Examples:
      sagacity saga abandon purchase-17 --reason "refunded by hand, see ticket 88"
    """
    _order("abandon", id, reason, None, by, wait, database)


def resume(id: _ID, reason: _REASON, by: BY = None, wait: _WAIT = _WAITED, database: DATABASE = None) -> None:
    """Retry all that is parked, and lift a quarantine.

    \b
    Examples:
      sagacity saga resume purchase-17 --reason "the definition is mended"
    """
    _order("resume", id, reason, None, by, wait, database)


ORDERS = (retry, skip, compensate, abandon, resume)
"""Each order's command, by its name."""


def _order(order: Order, id: str, reason: str, step: str | None, by: str | None, wait: float, database: str | None) -> None:
    if not reason.strip():
        raise UsageError("an order needs a reason", hint='--reason "the bank is back"')
    who = by or whoever()
    asked(database, lambda sagas: _carried_out(sagas, order, id, reason, step, who, wait))


async def _carried_out(
    sagas: Operations, order: Order, id: str, reason: str, step: str | None, by: str, wait: float
) -> None:
    from sagacity.saga.postgres.operations import RefusedOrderError, carried, instead

    try:
        placed = await sagas.order(id, order, by=by, reason=reason, step=step)
    except RefusedOrderError as refused:
        if refused.number is None:
            raise
        typer.echo(f"order {refused.number} is refused; what may be ordered: {instead(refused.allowed)}", err=True)
        raise
    before = [each for each in await sagas.orders(saga=id) if each.outcome is None and each.id != placed.id]
    if before:
        many = "an order" if len(before) == 1 else f"{len(before)} orders"
        typer.echo(f"{many} of this saga waited already: does an orchestrator run?", err=True)
    if wait <= 0:
        typer.echo(f"order {placed.id} is given: {_said(placed)}")
        return
    done = await sagas.awaited(placed, wait)
    carried(done)
    found = await sagas.saga(id)
    stands = "" if found is None else f"; saga {id} is {found.line.status}"
    typer.echo(f"order {done.id} is carried out: {_said(done)}{stands}")


def _said(placed: Placed) -> str:
    return f"{placed.order} {placed.step}" if placed.step else placed.order


def whoever() -> str:
    """The user of the operating system who gives the command. Raises UsageError where that has no name."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise UsageError("it cannot be told who you are", hint="--by NAME") from None
