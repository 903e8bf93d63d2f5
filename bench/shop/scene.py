"""The stack, its customers, and the wares of a round."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.shop.planned import CURRENCY, LIMIT, SHARE, Ware, Wares, last_units
from shop.contracts import topics
from shop.customers.edge import Edge
from shop.customers.people import Customers, log_in
from shop.local.assembly import Layout, assemble
from shop.local.environment import ADMIN
from shop.local.kept import forget
from shop.local.stack import Stack

__all__ = ["CUSTOMERS", "Scene", "opened"]

CUSTOMERS = 16
_COMMON = 24
_PLENTY = 1_000_000


class Scene:
    """A shop that is open: its stack, its databases by their services' names, and who buys in it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.databases = stack.addresses.databases
        self.token = Customers(stack.web, CUSTOMERS).token

    def stock(self, purchases: int, share: float = SHARE) -> Wares:
        """Products of its own for a round of so many purchases."""
        token = log_in(self.stack.web, ADMIN, self.stack.addresses.secrets.admin)
        edge, signed = Edge(self.stack.web), {"Authorization": f"Bearer {token}"}

        def made(name: str, price: int, stock: int) -> Ware:
            body = {"name": name, "description": name, "brand_name": "Leaf", "currency": CURRENCY}
            answer = edge.ask("POST", "/api/v1/products", {**body, "price": price, "inventory": stock}, signed)
            if answer.status != 201:
                raise RuntimeError(f"no product can be made: {answer}")
            return Ware(int(answer.body["id"]), price, stock)

        wares = Wares(
            common=tuple(made(f"tea {number}", 100 + 7 * number, _PLENTY) for number in range(_COMMON)),
            dear=made("gold", LIMIT + 1, _PLENTY),
            scarce=made("saffron", 900, 3),
            last=made("the last of it", 350, last_units(purchases, share)),
            absent=1,
        )
        edge.close()
        return wares


@contextlib.contextmanager
def opened(folder: Path, say: Callable[[str], None]) -> Iterator[Scene]:
    """The whole shop in a folder, on ports that are free, with its customers. Raises UnavailableError where a part of it
    cannot be had."""
    layout = Layout(topics=topics.ALL, web=0, extra={"PAYMENT_PROVIDER_LIMIT": str(LIMIT)})
    began = time.monotonic()
    try:
        with assemble(folder, layout, say) as stack:
            say(f"the shop is open after {time.monotonic() - began:.0f} s")
            yield Scene(stack)
    finally:
        forget(folder)  # PostgreSQL's files may be elsewhere
