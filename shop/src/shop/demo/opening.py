"""The stack with the reconciler beside it, the shelves filled, the customers registered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec

from sagacity.errors import SagacityError
from sagacity.workflow.durations import format_duration
from shop.contracts import topics
from shop.customers.people import Customers, log_in
from shop.demo.wares import LIMIT, Shelf, stock_up
from shop.local.assembly import Layout, assemble
from shop.local.catalogue import DATABASES, SHOP, WORKFLOW
from shop.local.environment import ADMIN
from shop.local.stack import Stack

__all__ = ["DATABASES", "WINDOW", "WORKFLOW", "Open", "opened", "tightened"]

WINDOW = timedelta(seconds=8)
"""How soon a payment must be followed by shipment and check. The shop's own workflow gives two minutes, which would be
longer than the story."""

_DUE = re.compile(r"\bwithin \S+ of PaymentReceived\b")
_CUSTOMERS = 12


class Open(msgspec.Struct, frozen=True):
    """A shop that is open. `reconciler` is the address of Sagacity's pages."""

    stack: Stack
    shelf: Shelf
    customers: Customers
    reconciler: str


@contextmanager
def opened(folder: Path, port: int, say: Callable[[str], None]) -> Iterator[Open]:
    """The whole shop in an empty folder; closed at the end. Raises UnavailableError where a part of it cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    workflow = folder / WORKFLOW.name
    workflow.write_text(tightened(WORKFLOW.read_text(encoding="utf-8")), encoding="utf-8")
    layout = Layout(catalogue=SHOP, topics=topics.ALL, web=port, extra={"PAYMENT_PROVIDER_LIMIT": str(LIMIT)})
    layout = layout.with_sagacity(workflow)
    with assemble(folder, layout, say) as stack:
        shelf = stock_up(stack.web, log_in(stack.web, ADMIN, stack.addresses.secrets.admin))
        yield Open(stack, shelf, Customers(stack.web, _CUSTOMERS), stack.where("reconciler"))


def tightened(workflow: str) -> str:
    """The shop's workflow with the story's deadlines. Raises SagacityError where it has none to be tightened."""
    within = f"within {format_duration(WINDOW // timedelta(microseconds=1))} of PaymentReceived"
    made, many = _DUE.subn(within, workflow)
    if not many:
        raise SagacityError(f"{WORKFLOW.name} has no deadline after PaymentReceived")
    return made
