"""An account service for tests: cheap passwords, keys of its own, and people who register with it."""

from __future__ import annotations

import base64
import itertools
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from running import running_beside
from sagacity.testing.servers.ports import free_ports
from shop.account.settings import Settings
from shop.account.wiring import wire
from shop.chassis.settings import load

__all__ = ["ADMIN", "KEY", "AccountServer", "Person", "account_environment", "account_server", "person"]

KEY = base64.b64encode(b"the key of the tests, 32 bytes!!").decode()
ADMIN = ("root@shop.example", "a password for root")
_PATIENCE = 60.0
_numbers = itertools.count(1)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can register."""

    email: str
    password: str = "correct horse"
    first_name: str = "Ada"
    last_name: str = "Lovelace"
    address: str = "12 St James's Square"
    phone_number: str = "0123456788"


def person(**given: str) -> Person:
    """Somebody new."""
    return Person(**{"email": f"ada{next(_numbers)}.{os.getpid()}@example.com", **given})


class AccountServer(msgspec.Struct, frozen=True):
    """Where it answers: over HTTP, and over gRPC."""

    url: str
    target: str

    def client(self, token: str | None = None) -> httpx.Client:
        """A client of its API, which sends a token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=f"{self.url}/api/v1/account", headers=headers, timeout=60)

    def registered(self, who: Person | None = None) -> Mapping[str, str]:
        """The tokens of somebody who has just registered. Where a test has just had the database away, it asks again."""
        body = msgspec.to_builtins(who or person())
        limit = time.monotonic() + _PATIENCE
        with self.client() as client:
            while (answer := client.post("/auth/register", json=body)).status_code == 503 and time.monotonic() < limit:
                time.sleep(0.1)
            assert answer.status_code == 201, answer.text
            pair: dict[str, str] = answer.json()
            return pair

    def admin(self) -> Mapping[str, str]:
        """The tokens of the administrator."""
        with self.client() as client:
            pair: dict[str, str] = client.post(
                "/auth/login", json=dict(zip(("email", "password"), ADMIN, strict=True))
            ).json()
            return pair


def account_environment(dsn: str, **more: Any) -> dict[str, str]:
    """What an account service of the tests finds in its environment."""
    http, rpc = free_ports(2)
    given = {
        "ACCOUNT_DATABASE_URL": dsn,
        "ACCOUNT_HTTP_PORT": http,
        "ACCOUNT_RPC_PORT": rpc,
        "ACCOUNT_TOKENS_KEYS": f"tests={KEY}",
        "ACCOUNT_PASSWORDS_MEMORY": 64,
        "ACCOUNT_PASSWORDS_PASSES": 1,
        "ACCOUNT_LOGIN_ADDRESS_ATTEMPTS": 100_000,
        "ACCOUNT_ADMIN_EMAIL": ADMIN[0],
        "ACCOUNT_ADMIN_PASSWORD": ADMIN[1],
    }
    return {name: str(value) for name, value in {**given, **more}.items()}


@contextmanager
def account_server(dsn: str, **more: Any) -> Iterator[AccountServer]:
    """One that runs on a thread beside; its database is up to date. `more` are further variables."""
    environment = account_environment(dsn, **more)
    settings = load(Settings, "ACCOUNT", environment)
    with running_beside(lambda: wire(settings)):
        yield AccountServer(f"http://127.0.0.1:{settings.http.port}", f"127.0.0.1:{settings.rpc.port}")
