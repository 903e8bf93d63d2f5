"""`sagacity saga dead-letters list` and `redrive`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from sagacity.cli.saga.database import DATABASE, FORMAT, asked, checked
from sagacity.cli.saga.ordering import BY, whoever
from sagacity.errors import UsageError

if TYPE_CHECKING:
    from sagacity.messaging.postgres.dead_letters import DeadLetter
    from sagacity.saga.postgres.operations import Operations
    from sagacity.saga.postgres.redriving import Redriven

__all__ = ["commands"]

commands = typer.Typer(
    name="dead-letters",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    short_help="List messages that could not be done; have them done again.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

_PAGE = 500
_CONSUMER = Annotated[
    str | None, typer.Option("--consumer", metavar="NAME", help="Those of this one alone.", show_default=False)
]


@commands.callback()
def _letters_of() -> None:
    """Messages that could not be done, in their consumer's database: list them, have them done again.

    Those of a saga's commands are in its participant's database: --database, else SAGACITY_SAGAS, else PostgreSQL's own
    variables.

    \b
    Examples:
      sagacity saga dead-letters list
      sagacity saga dead-letters redrive 17
      sagacity saga dead-letters redrive --all --consumer stock
    """


@commands.command("list", short_help="List them, with the reason.")
def listing(
    consumer: _CONSUMER = None,
    redriven: Annotated[bool, typer.Option("--redriven", help="Also those that were given again.")] = False,
    after: Annotated[int, typer.Option("--after", metavar="NUMBER", min=0, help="Those after this one.")] = 0,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="How many at most.")] = 100,
    format: FORMAT = "text",
    database: DATABASE = None,
) -> None:
    """List what could not be done, the oldest first, with the reason.

    \b
    Examples:
      sagacity saga dead-letters list
      sagacity saga dead-letters list --consumer stock --format json
    """
    json = checked(format)
    letters = asked(database, lambda sagas: _letters(sagas, consumer, redriven, after, limit))
    from sagacity.web.saga_documents import SagaLetter

    found = [SagaLetter.of(letter) for letter in letters]
    if json:
        from sagacity.cli.saga.looking import write_json

        write_json(found)
    else:
        from sagacity.cli.saga.showing import table_of_letters

        sys.stdout.write(table_of_letters(found))
    if len(letters) == limit:
        typer.echo(f"there may be more: --after {letters[-1].id}", err=True)


@commands.command("redrive", short_help="Have them done again.")
def redrive(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="NUMBER", help="Which, as `list` numbers them.", show_default=False)
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
    consumer: _CONSUMER = None,
    by: BY = None,
    database: DATABASE = None,
) -> None:
    """Have dead letters done again, once the cause is mended.

    A command of a saga goes by its orchestrator, to its participant wherever that is, if its answer is still awaited;
    anything else goes by the outbox to the topic that it came from.

    \b
    Examples:
      sagacity saga dead-letters redrive 17 18
      sagacity saga dead-letters redrive --all --consumer stock
    """
    given = numbers or []
    if not given and not all_:
        raise UsageError("it is not said which", hint="give their numbers, or --all")
    if given and all_:
        raise UsageError("both numbers and --all are given", hint="give one of them")
    who = by or whoever()
    done = asked(database, lambda sagas: _redriven(sagas, given, all_, consumer, who))
    total = done.sent + len(done.ordered)
    typer.echo(f"{total:,} dead letter{'' if total == 1 else 's'} given again")
    if done.ordered:
        by_order = "it goes" if len(done.ordered) == 1 else f"{len(done.ordered):,} of them go"
        told = (
            "which sends nothing where the step is parked, or awaits it no longer: sagacity saga show tells what came of it"
        )
        typer.echo(f"{by_order} by the orchestrator of its saga, {told}", err=True)
    if given and total < len(set(given)):
        typer.echo(f"{len(set(given)) - total:,} left out: not there, or given again before", err=True)
    if done.left:
        first = ", ".join(map(str, done.left[:10])) + (" ..." if len(done.left) > 10 else "")
        typer.echo(f"{len(done.left):,} left out, which cannot be given again: {first}", err=True)
    if given and not total:
        raise typer.Exit(2)


async def _letters(sagas: Operations, consumer: str | None, redriven: bool, after: int, limit: int) -> list[DeadLetter]:
    found: list[DeadLetter] = []
    while len(found) < limit:
        most = min(_PAGE, limit - len(found))
        page = await sagas.dead_letters(consumer=consumer, redriven=redriven, after=after, most=most)
        found += page
        if len(page) < most:
            break
        after = page[-1].id
    return found


async def _redriven(sagas: Operations, numbers: list[int], every: bool, consumer: str | None, by: str) -> Redriven:
    from sagacity.saga.postgres.redriving import Redriven

    if not every:
        return await sagas.redrive(numbers, by)
    sent, after = 0, 0
    ordered: tuple[int, ...] = ()
    left: tuple[int, ...] = ()
    while True:
        page = await sagas.dead_letters(consumer=consumer, after=after, most=_PAGE)
        done = await sagas.redrive([letter.id for letter in page], by, possible=True)
        sent, ordered, left = sent + done.sent, (*ordered, *done.ordered), (*left, *done.left)
        if len(page) < _PAGE:
            return Redriven(sent, ordered, left)
        after = page[-1].id
