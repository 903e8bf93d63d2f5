"""`sagacity token`: access tokens for a server."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["commands"]

commands = typer.Typer(
    name="token",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@commands.callback()
def token() -> None:
    """Make access tokens for a server.

    \b
    Examples:
      sagacity token new --role operator
      sagacity token new --role ingest --name orders-service
    """


@commands.command("new")
def new(
    role: Annotated[
        list[str],
        typer.Option("--role", metavar="ROLE", help="ingest, viewer or operator.", show_default=False),
    ],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Who uses it; the audit log shows it.", show_default=False),
    ] = None,
) -> None:
    """Print a new token, this once, and the line with its hash that the server is to be given.

    `ingest` hands records in, `viewer` reads, `operator` reads and acts. The line goes into the server's tokens file or
    SAGACITY_TOKENS; the token itself is kept nowhere.

    \b
    Examples:
      sagacity token new --role operator --name maria
      sagacity token new --role ingest --role viewer --name orders-service
    """
    import re
    import secrets

    from sagacity.errors import UsageError
    from sagacity.web.tokens import ROLES, minted

    if unknown := [each for each in role if each not in ROLES]:
        raise UsageError(f"there is no role '{unknown[0]}'", hint=f"one of {', '.join(ROLES)}")
    called = name or f"{role[0]}-{secrets.token_hex(3)}"
    if not re.fullmatch(r"[A-Za-z0-9._@-]{1,64}", called):
        raise UsageError(f"'{called[:80]}' cannot be a token's name", hint="letters, digits and . _ @ - only, at most 64")
    made, known = minted(secrets.token_bytes(32), called, [each for each in ROLES if each in role])
    typer.echo(f"token: {made}\n       for {called}; it is shown this once, so keep it where secrets are kept")
    typer.echo(f"line:  {known.line()}\n       for the server's tokens file, or SAGACITY_TOKENS")
