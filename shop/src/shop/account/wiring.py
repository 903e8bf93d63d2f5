"""The account service's process, put together; and what can be done with its database by command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import psycopg

from sagacity.errors import UsageError
from shop.account.accounts import Accounts, grant_admin
from shop.account.grpc import AuthServicer
from shop.account.http import ROUTES
from shop.account.keys import parse_keys
from shop.account.passwords import Passwords
from shop.account.settings import Settings
from shop.account.tokens import Tokens
from shop.chassis.command import Command
from shop.chassis.database import Pool
from shop.chassis.failures import Failure
from shop.chassis.http import HttpServer, create_app
from shop.chassis.ids import Ids
from shop.chassis.logs import logger
from shop.chassis.rpc import RpcServer
from shop.chassis.service import Service
from shop.chassis.tables import UpToDate, migrate_command
from shop.chassis.telemetry import Telemetry
from shop.contracts.proto import auth_pb2_grpc

__all__ = ["COMMANDS", "REVISIONS", "Sweeping", "sweep", "wire"]

REVISIONS = Path(__file__).parent / "migrations"
_SWEEP_EVERY = 600.0


class Sweeping(Protocol):
    """What can forget what has expired."""

    async def sweep(self) -> None: ...


def wire(settings: Settings) -> Service:
    """The service, ready to run."""
    service = Service("account", life=settings.life)
    service.add("telemetry", Telemetry("account", settings.otlp))
    service.add("schema", UpToDate(settings.database, REVISIONS, on_start=settings.migrate_on_start))
    pool = service.add("database", Pool(settings.database))
    passwords = service.add(
        "passwords", Passwords(settings.passwords, counted=lambda: service.metrics.count("passwords_computed"))
    )
    tokens = Tokens(parse_keys(settings.tokens.keys.reveal()), settings.tokens, clock=lambda: datetime.now(UTC))
    accounts = Accounts(pool, Ids(settings.ids.worker), passwords, tokens, settings)
    service.add("administrator", _seeded(accounts, settings))
    service.run_beside("sweeping", lambda: sweep(accounts))
    offers = {"auth.AuthService": (auth_pb2_grpc.add_AuthServiceServicer_to_server, AuthServicer(tokens))}
    service.add("rpc", RpcServer(settings.rpc, offers, service.metrics))
    app = create_app(
        service,
        ROUTES,
        settings=settings.http,
        authority=tokens,
        dependencies={"accounts": accounts, "login_settings": settings.login},
    )
    service.add("http", HttpServer(app, settings.http))
    return service


@asynccontextmanager
async def _seeded(accounts: Accounts, settings: Settings) -> AsyncIterator[None]:
    if settings.admin.email is not None and settings.admin.password is not None:
        await accounts.seed(settings.admin.email, settings.admin.password.reveal())
    yield


async def sweep(accounts: Sweeping, *, every: float = _SWEEP_EVERY) -> None:
    """Every so many seconds have forgotten what has expired, until cancelled. While the database is away it waits: tokens
    are verified without it."""
    log = logger("shop.account")
    while True:
        await asyncio.sleep(every)
        try:
            await accounts.sweep()
        except (Failure, psycopg.Error) as error:
            log.warning("nothing is swept", reason=str(error).strip())


async def _grant(settings: Settings, email: str) -> str:
    async with Pool(settings.database) as pool:
        if not await grant_admin(pool, email, datetime.now(UTC)):
            raise UsageError(f"there is no account {email!r}", hint="register it first")
    return f"{email} is an administrator from the next login or refresh on"


COMMANDS: dict[str, Command[Settings]] = {
    "migrate": migrate_command(lambda settings: settings.database, REVISIONS),
    "grant-admin": Command("give an account the role admin", _grant, ("email",)),
}
