"""`sagacity saga`: what an operator does with sagas, straight on the orchestrator's database.

database.py      which database, and how a command asks it
looking.py       list, show, definitions
ordering.py      retry, skip, compensate, abandon, resume
letters.py       dead-letters list, redrive
workflow.py      the workflow that audits a saga
showing.py       all of it as text
"""

from __future__ import annotations

import typer

from sagacity.cli.saga import letters, looking, ordering, workflow

__all__ = ["commands"]

commands = typer.Typer(
    name="saga",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@commands.callback()
def _saga() -> None:
    """Look at sagas, and order how parked ones go on; straight on the orchestrator's PostgreSQL.

    Which database: --database, else SAGACITY_SAGAS, else PostgreSQL's own variables (PGHOST, PGDATABASE, ...). Others on the
    machine see the arguments of a command: give a password in SAGACITY_SAGAS, PGPASSWORD or ~/.pgpass, never in --database.

    \b
    Examples:
      sagacity saga list --parked
      sagacity saga show purchase-17
      sagacity saga retry purchase-17 --reason "the bank is back"
      sagacity saga workflow purchase > purchase.workflow.yaml
    """


_SHORT = {
    "retry": "Give a parked step's command again.",
    "skip": "Go on as if a parked step had succeeded.",
    "compensate": "Turn a saga back.",
    "abandon": "End a parked saga as it stands.",
    "resume": "Retry all that is parked; lift a quarantine.",
}

commands.command("list", short_help="List sagas, such as those that are parked.")(looking.listing)
commands.command("show", short_help="Show one saga, and what may be ordered of it.")(looking.show)
for order in ordering.ORDERS:
    commands.command(order.__name__, short_help=_SHORT[order.__name__])(order)
commands.command("workflow", short_help="Print the workflow that audits a saga.")(workflow.workflow)
commands.command("definitions", short_help="List the definitions that are kept.")(looking.definitions)
commands.add_typer(letters.commands)
