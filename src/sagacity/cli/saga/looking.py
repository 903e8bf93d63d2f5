"""`sagacity saga list`, `show` and `definitions`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sagacity.cli.saga.database import DATABASE, FORMAT, asked, checked

if TYPE_CHECKING:
    from sagacity.saga.postgres.listing import Line, Which
    from sagacity.saga.postgres.operations import Operations

__all__ = ["definitions", "listing", "show", "write_json"]

_PAGE = 500


def listing(
    parked: Annotated[
        bool, typer.Option("--parked", help="Those that need an operator, the longest started first.")
    ] = False,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help="waiting, running, compensating, parked, completed, compensated or abandoned; may be repeated.",
            show_default=False,
        ),
    ] = None,
    definition: Annotated[str | None, typer.Option("--definition", metavar="NAME", show_default=False)] = None,
    resource: Annotated[
        str | None,
        typer.Option("--resource", metavar="VALUE", help="Those that hold it, or wait for it.", show_default=False),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="INSTANT|DURATION", help="Started since then, or that long ago.", show_default=False
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="How many at most.")] = 50,
    cursor: Annotated[
        str | None, typer.Option("--cursor", metavar="CURSOR", help="Go on where a list ended.", show_default=False)
    ] = None,
    format: FORMAT = "text",
    database: DATABASE = None,
) -> None:
    """List sagas, those that were started last first, with how long each has stood as it does.

    Exits with 0, also where there is none. Where there are more, the last line of JSON has `next`: the --cursor with which
    the list goes on.

    \b
    Examples:
      sagacity saga list --parked
      sagacity saga list --state compensating --definition purchase --since 1h
      sagacity saga list --resource 4711
      sagacity saga list --state parked --format json
    """
    json = checked(format)
    from sagacity.web.saga_documents import LastLine, SagaLine

    which = _which(parked, state or [], definition, resource, since)
    after = _after(cursor)
    lines, more = asked(database, lambda sagas: _lines(sagas, which, after, parked, limit))
    if json:
        told = [SagaLine.of(line) for line in lines]
        write_json([*told[:-1], LastLine.ending(told[-1], more)] if more is not None else told)
    else:
        from sagacity.cli.saga.showing import table_of_sagas

        sys.stdout.write(table_of_sagas(lines, time.time_ns() // 1000))
    if more is not None:
        typer.echo(f"there are more: --cursor {more}", err=True)


def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="The saga.", show_default=False)],
    format: FORMAT = "text",
    database: DATABASE = None,
) -> None:
    """Show one saga: its steps, what happened to it, what was ordered, by whom and why, and what may be ordered now.

    \b
    Examples:
      sagacity saga show purchase-17
      sagacity saga show purchase-17 --format json
    """
    json = checked(format)
    from sagacity.errors import UsageError
    from sagacity.web.saga_documents import SagaDocument

    shown = asked(database, lambda sagas: sagas.saga(id))
    if shown is None:
        raise UsageError(f"there is no saga {id}", hint="sagacity saga list shows which there are")
    if json:
        write_json([SagaDocument.of(shown)])
    else:
        from sagacity.cli.saga.showing import saga_text

        sys.stdout.write(saga_text(SagaDocument.of(shown), shown, time.time_ns() // 1000))


def definitions(format: FORMAT = "text", database: DATABASE = None) -> None:
    """List the versions of definitions that are kept, with how many sagas are on each.

    \b
    Examples:
      sagacity saga definitions
      sagacity saga definitions --format json
    """
    json = checked(format)
    from sagacity.web.saga_documents import SagaDefinitionDocument

    async def both(sagas: Operations) -> tuple[Any, Any]:
        return await sagas.definitions(), await sagas.counts()

    versions, counts = asked(database, both)
    found = [SagaDefinitionDocument.of(version, counts) for version in versions]
    if json:
        write_json(found)
    else:
        from sagacity.cli.saga.showing import table_of_definitions

        sys.stdout.write(table_of_definitions(found))


def write_json(documents: Iterable[Any]) -> None:
    """One document a line."""
    import msgspec

    for document in documents:
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")


def _which(parked: bool, states: list[str], definition: str | None, resource: str | None, since: str | None) -> Which:
    """What is asked for. Raises UsageError."""
    from typing import get_args

    from sagacity.cli.extras import needed
    from sagacity.errors import UsageError
    from sagacity.saga.state import SagaStatus

    needed("saga", "psycopg")
    from sagacity.saga.postgres.listing import Which

    for state in states:
        if state not in get_args(SagaStatus):
            raise UsageError(f"--state: there is no '{state}'", hint=f"one of {', '.join(get_args(SagaStatus))}")
    if parked and set(states) - {"parked"}:
        raise UsageError("both --parked and --state are given", hint="give one of them; --state parked adds those that are")
    wanted = tuple(dict.fromkeys(["parked"] if parked else states))
    return Which(definition=definition, states=wanted, resource=resource, since=None if since is None else _instant(since))


def _after(cursor: str | None) -> tuple[int, str] | None:
    """Where a list goes on. Raises UsageError."""
    from sagacity.errors import UsageError
    from sagacity.web.saga_documents import read_cursor

    try:
        return read_cursor(cursor)
    except UsageError:
        hint = "a list that has more says with which: on standard error, and in JSON as `next` of its last line"
        raise UsageError(f"--cursor: {cursor!r} is no cursor", hint=hint) from None


def _instant(text: str) -> int:
    """An instant, or one that long ago. Raises UsageError."""
    from sagacity.errors import UsageError
    from sagacity.web.times import instant_of
    from sagacity.workflow.durations import parse_duration

    if text[:4].isdigit() and text[4:5] == "-":
        return instant_of(text)
    try:
        return time.time_ns() // 1000 - parse_duration(text)
    except UsageError:
        raise UsageError(
            f"--since: {text!r} is neither an instant nor a duration", hint="2026-11-01T10:00Z, or 2h"
        ) from None


async def _lines(
    sagas: Operations, which: Which, after: tuple[int, str] | None, oldest: bool, limit: int
) -> tuple[list[Line], str | None]:
    from sagacity.web.saga_documents import next_cursor

    found: list[Line] = []
    while len(found) < limit:
        most = min(_PAGE, limit - len(found))
        page = await sagas.sagas(which, after=after, oldest=oldest, most=most)
        found += page
        if len(page) < most:
            return found, None
        after = (page[-1].started, page[-1].id)
    return found, next_cursor(found, limit)
