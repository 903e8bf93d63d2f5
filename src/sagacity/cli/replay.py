"""`sagacity replay`: have a running server judge a period again."""

from __future__ import annotations

from typing import Annotated

import typer

from sagacity.cli.remote import SERVER, TOKEN, Remote

__all__ = ["command"]


def command(
    from_: Annotated[str, typer.Option("--from", metavar="INSTANT", help="The period's beginning.", show_default=False)],
    to: Annotated[str, typer.Option("--to", metavar="INSTANT", help="Its end, no longer part of it.", show_default=False)],
    server: SERVER = None,
    token: TOKEN = None,
) -> None:
    """Have a running server judge again every case with an event in a period, from what its ledger keeps.

    Nothing new comes of it, and nobody is alerted, unless verdicts were wrong. Archived cases are counted, and not judged
    again. A date alone stands for its midnight, UTC.

    \b
    Examples:
      sagacity replay --from 2026-10-01 --to 2026-10-02
      sagacity replay --from 2026-10-01T08:00Z --to 2026-10-01T09:00Z --server https://sagacity.example
    """
    with Remote(server, token) as remote:
        typer.echo(f"waiting for {remote.url} to judge every case from {from_} to {to} again", err=True)
        done = remote.post("/api/v1/replay", {"from": from_, "to": to}, within=None)
    cases, opened, reopened, resolved = (done[name] for name in ("cases", "opened", "reopened", "resolved"))
    typer.echo(
        f"{cases:,} case{'' if cases == 1 else 's'} judged again: "
        f"{opened:,} findings opened, {reopened:,} reopened, {resolved:,} resolved"
    )
    if archived := done.get("archived", 0):
        typer.echo(f"{archived:,} archived case{'' if archived == 1 else 's'} of the period not judged again")
