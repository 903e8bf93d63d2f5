"""Accounts and their tokens: the administrator's, and those of customers, who are known by number."""

from __future__ import annotations

import threading
import time

from shop.customers.edge import Edge

__all__ = ["Customers", "log_in"]

_FRESH_FOR = 200.0
"""Seconds; an access token holds for 300."""
_PASSWORD = "correct horse battery"
_WHO = {"first_name": "Ada", "last_name": "King", "address": "12 Main Street", "phone_number": "+44 20 7946 0000"}


class Customers:
    """So many of them, registered when this is made, where they are not yet. Raises RuntimeError where they cannot be."""

    def __init__(self, web: str, many: int) -> None:
        self.many = many
        self._web = web
        self._lock = threading.Lock()
        self._tokens: dict[int, tuple[float, str]] = {}
        edge = Edge(web)
        for number in range(many):
            answer = edge.ask(
                "POST", "/api/v1/account/auth/register", {"email": _email(number), "password": _PASSWORD, **_WHO}
            )
            if answer.status not in (201, 409):
                raise RuntimeError(f"nobody can be registered: {answer}")
        edge.close()

    def token(self, customer: int) -> str:
        """A customer's access token, which holds for some minutes yet."""
        with self._lock:
            since, token = self._tokens.get(customer, (float("-inf"), ""))
            if time.monotonic() - since > _FRESH_FOR:
                token = log_in(self._web, _email(customer), _PASSWORD)
                self._tokens[customer] = (time.monotonic(), token)
            return token

    def signed(self, customer: int) -> dict[str, str]:
        """The header that says who asks."""
        return {"Authorization": f"Bearer {self.token(customer)}"}


def log_in(web: str, email: str, password: str) -> str:
    """An access token. Raises RuntimeError where it is not given."""
    edge = Edge(web)
    try:
        answer = edge.ask("POST", "/api/v1/account/auth/login", {"email": email, "password": password})
    finally:
        edge.close()
    if answer.status != 200:
        raise RuntimeError(f"{email} cannot log in: {answer.status}")
    return str(answer.body["access_token"])


def _email(customer: int) -> str:
    return f"customer-{customer}@shop.example"
