"""Which database a command asks, and the asking."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from sagacity.errors import UsageError

if TYPE_CHECKING:
    from sagacity.saga.postgres.operations import Operations

__all__ = ["DATABASE", "FORMAT", "address", "asked", "checked"]

T = TypeVar("T")

DATABASE = Annotated[
    str | None,
    typer.Option(
        "--database",
        "-d",
        metavar="URL",
        help="The orchestrator's PostgreSQL, such as postgresql://user@host/name. Default: SAGACITY_SAGAS, else PGHOST, "
        "PGDATABASE, ... Give no password here, where other users of the machine see it: use SAGACITY_SAGAS, PGPASSWORD or "
        "~/.pgpass.",
        show_default=False,
    ),
]
FORMAT = Annotated[str, typer.Option("--format", metavar="text|json", help="json: one object a line.")]

_OWN = ("PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE")
_WITHIN = 15.0


def address(given: str | None, environment: Mapping[str, str]) -> str:
    """The address of the database. Raises UsageError where nothing names one."""
    if given is not None:
        return given
    if "SAGACITY_SAGAS" in environment:
        return environment["SAGACITY_SAGAS"]
    if any(environment.get(name) for name in _OWN):
        return ""
    hint = "SAGACITY_SAGAS=postgresql://user@host/name, --database, or PostgreSQL's own variables (PGHOST, PGDATABASE)"
    raise UsageError("it is not said where the sagas are", hint=hint)


def asked(database: str | None, work: Callable[[Operations], Awaitable[T]]) -> T:
    """What comes of asking the database. Raises UsageError, StoreError and MessagingError."""
    from sagacity.cli.extras import needed

    needed("saga", "psycopg")
    from sagacity.saga.postgres.operations import Operations

    dsn = address(database, os.environ)

    async def asking() -> T:
        operations = Operations(dsn, within=_WITHIN)
        try:
            return await work(operations)
        finally:
            await operations.close()

    return asyncio.run(asking())


def checked(format: str) -> bool:
    """Whether JSON is asked for. Raises UsageError for a format that there is not."""
    if format not in ("text", "json"):
        raise UsageError(f"'{format}' is not a format", hint="text or json")
    return format == "json"
