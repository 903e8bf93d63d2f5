"""The stack, its customers, and the wares of a round."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from bench.shop.edge import Edge
from bench.shop.planned import CURRENCY, LIMIT, SHARE, Ware, Wares, last_units
from shop.contracts import topics
from shop.local.assembly import Layout, assemble
from shop.local.environment import ADMIN
from shop.local.kept import kept_secrets
from shop.local.stack import Stack

__all__ = ["CUSTOMERS", "Scene", "opened"]

CUSTOMERS = 16
_FRESH_FOR = 200.0
"""Seconds; an access token holds for 300."""
_PASSWORD = "correct horse battery"
_COMMON = 24
_PLENTY = 1_000_000


class Scene:
    """A shop that is open: its stack, its databases by their services' names, and who buys in it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        ports: dict[str, int] = msgspec.json.decode((stack.folder / "ports.json").read_bytes())
        secrets = kept_secrets(stack.folder, ())
        at = f"127.0.0.1:{ports['postgres']}"
        self.databases = {
            name: f"postgresql://{name}:{password}@{at}/{name}" for name, password in secrets.databases.items()
        }
        self._admin = secrets.admin
        self._lock = threading.Lock()
        self._tokens: dict[int, tuple[float, str]] = {}

    def register(self) -> None:
        """Open an account for each customer."""
        edge = Edge(self.stack.web)
        for number in range(CUSTOMERS):
            who = {"first_name": "Ada", "last_name": "King", "address": "12 Main Street", "phone_number": "+44 20 7946 0000"}
            answer = edge.ask(
                "POST", "/api/v1/account/auth/register", {"email": _email(number), "password": _PASSWORD, **who}
            )
            if answer.status not in (201, 409):
                raise RuntimeError(f"nobody can be registered: {answer}")
        edge.close()

    def token(self, customer: int) -> str:
        """A customer's access token, which holds for some minutes yet."""
        with self._lock:
            since, token = self._tokens.get(customer, (float("-inf"), ""))
            if time.monotonic() - since > _FRESH_FOR:
                token = self._log_in(_email(customer), _PASSWORD)
                self._tokens[customer] = (time.monotonic(), token)
            return token

    def stock(self, purchases: int, share: float = SHARE) -> Wares:
        """Products of its own for a round of so many purchases."""
        edge, signed = Edge(self.stack.web), {"Authorization": f"Bearer {self._log_in(ADMIN, self._admin)}"}

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

    def _log_in(self, email: str, password: str) -> str:
        edge = Edge(self.stack.web)
        try:
            answer = edge.ask("POST", "/api/v1/account/auth/login", {"email": email, "password": password})
        finally:
            edge.close()
        if answer.status != 200:
            raise RuntimeError(f"{email} cannot log in: {answer.status}")
        return str(answer.body["access_token"])


@contextlib.contextmanager
def opened(folder: Path, say: Callable[[str], None]) -> Iterator[Scene]:
    """The whole shop in a folder, on ports that are free, with its customers. Raises UnavailableError where a part of it
    cannot be had."""
    layout = Layout(topics=topics.ALL, web=0, extra={"PAYMENT_PROVIDER_LIMIT": str(LIMIT)})
    began = time.monotonic()
    with assemble(folder, layout, say) as stack:
        say(f"the shop is open after {time.monotonic() - began:.0f} s")
        scene = Scene(stack)
        scene.register()
        yield scene


def _email(customer: int) -> str:
    return f"customer-{customer}@shop.example"
