"""`sagacity findings`: what is wrong on a running server, and what people say to it."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any, get_args
from urllib.parse import quote

import typer

from sagacity.cli.asking import screen
from sagacity.cli.remote import SERVER, TOKEN, Remote
from sagacity.errors import SagacityError, UsageError

__all__ = ["commands"]

commands = typer.Typer(
    name="findings",
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

_PAGE = 500
_ID = Annotated[str, typer.Argument(metavar="ID", help="The finding.", show_default=False)]
_REASON = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the finding's history.", show_default=False)
]


@commands.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    open_: Annotated[bool, typer.Option("--open", help="Only those that are open.")] = False,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="open, acknowledged, waived or resolved.", show_default=False),
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", metavar="NAME", show_default=False)] = None,
    workflow: Annotated[str | None, typer.Option("--workflow", "-w", metavar="NAME", show_default=False)] = None,
    severity: Annotated[
        str | None, typer.Option("--severity", metavar="info|warning|error|critical", show_default=False)
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="missing, late, duplicate, ...", show_default=False)
    ] = None,
    case: Annotated[str | None, typer.Option("--case", metavar="ID", show_default=False)] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="How many at most.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on, and show what changes.")] = False,
    format: Annotated[str, typer.Option("--format", metavar="text|json", help="json: one object a line.")] = "text",
    server: SERVER = None,
    token: TOKEN = None,
) -> None:
    """List findings of a running server, newest first; or acknowledge, waive or reopen one.

    \b
    Examples:
      sagacity findings --open --owner payments
      sagacity findings --open --severity critical --follow
      sagacity findings --state waived --format json
      sagacity findings ack 5b410b1b23dd73ce --reason "looking into it"
      sagacity findings waive 5b410b1b23dd73ce --reason "carrier strike" --for 7d
    """
    if context.invoked_subcommand is not None:
        context.obj = (server, token)
        return
    from sagacity.ledger.live import FindingState
    from sagacity.workflow.model import Severity
    from sagacity.workflow.verdict import FindingKind

    if format not in ("text", "json"):
        raise UsageError(f"'{format}' is not a format", hint="text or json")
    for option, values, known in (
        ("--state", state or (), FindingState),
        ("--severity", (severity,), Severity),
        ("--kind", (kind,), FindingKind),
    ):
        for value in values:
            if value is not None and value not in get_args(known):
                raise UsageError(f"{option}: there is no '{value}'", hint=f"one of {', '.join(get_args(known))}")
    states = [*(state or ()), *(["open"] if open_ else [])]
    given = {"owner": owner, "workflow": workflow, "severity": severity, "kind": kind, "case": case}
    with Remote(server, token) as remote:
        found = _found(remote, limit, state=states or None, **given)
        _print(found, format)
        if follow:
            _follow(remote, states, given, format)


@commands.command("ack")
def acknowledge(context: typer.Context, id: _ID, reason: _REASON = None, server: SERVER = None, token: TOKEN = None) -> None:
    """Say that somebody looks into a finding.

    \b
    Examples:
      sagacity findings ack 5b410b1b23dd73ce --reason "looking into it"
    """
    _act(context, server, token, id, "acknowledge", {"reason": reason})


@commands.command("waive")
def waive(
    context: typer.Context,
    id: _ID,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it may be so.", show_default=False)],
    until: Annotated[
        str | None, typer.Option("--until", metavar="INSTANT", help="When the waiver ends.", show_default=False)
    ] = None,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="How long it holds, such as 7d.", show_default=False)
    ] = None,
    server: SERVER = None,
    token: TOKEN = None,
) -> None:
    """Accept a finding as it is, for good or for a while.

    \b
    Examples:
      sagacity findings waive 5b410b1b23dd73ce --reason "test order"
      sagacity findings waive 5b410b1b23dd73ce --reason "carrier strike" --for 7d
      sagacity findings waive 5b410b1b23dd73ce --reason "carrier strike" --until 2026-12-01T00:00Z
    """
    if until is not None and for_ is not None:
        raise UsageError("--until and --for cannot both be given", hint="leave one of them away")
    _act(context, server, token, id, "waive", {"reason": reason, "until": until or for_})


@commands.command("reopen")
def reopen(context: typer.Context, id: _ID, reason: _REASON = None, server: SERVER = None, token: TOKEN = None) -> None:
    """Take an acknowledgement or a waiver back.

    \b
    Examples:
      sagacity findings reopen 5b410b1b23dd73ce --reason "it has come back"
    """
    _act(context, server, token, id, "reopen", {"reason": reason})


def _act(
    context: typer.Context, server: str | None, token: str | None, id_: str, what: str, said: dict[str, str | None]
) -> None:
    before: tuple[str | None, str | None] = context.obj or (None, None)
    with Remote(server or before[0], token or before[1]) as remote:
        document = {name: value for name, value in said.items() if value is not None}
        changed = remote.post(f"/api/v1/findings/{quote(id_, safe='')}/{what}", document)
    until = f" until {changed['until']}" if changed["until"] else ""
    typer.echo(f"{changed['id']} is {changed['state']}{until}: {changed['message']}")


def _found(remote: Remote, limit: int, **given: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while len(found) < limit:
        page = remote.get("/api/v1/findings", limit=min(_PAGE, limit - len(found)), cursor=cursor, **given)
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    return found


def _follow(remote: Remote, states: list[str], given: dict[str, str | None], format: str) -> None:
    """Print each of the newest findings when it is new or changes; one that leaves the states that were asked for, too."""
    known = {each["id"]: each["changed"] for each in _found(remote, _PAGE, **given)}
    shown = set(known)
    away = False
    for event in remote.changes():
        if event == "away":
            away = _said_away(away)
        if event not in ("change", "reload") and not (away and event == "heartbeat"):
            continue
        try:
            now = _found(remote, _PAGE, **given)
        except UsageError:
            raise
        except SagacityError:  # it went away in between: what is missed is asked for once it is back
            away = _said_away(away)
            continue
        if away:
            typer.echo("the server is back", err=True)
            away = False
        news = [each for each in reversed(now) if known.get(each["id"]) != each["changed"]]
        known |= {each["id"]: each["changed"] for each in news}
        _print([each for each in news if not states or each["state"] in states or each["id"] in shown], format, bare=True)
        shown |= {each["id"] for each in news}


def _said_away(already: bool) -> bool:
    if not already:
        typer.echo("the server is away; trying again", err=True)
    return True


def _print(found: list[dict[str, Any]], format: str, *, bare: bool = False) -> None:
    if format == "json":
        sys.stdout.writelines(json.dumps(each, ensure_ascii=False) + "\n" for each in found)
    elif found:
        sys.stdout.write(_table(found, headed=not bare))
    elif not bare:
        sys.stdout.write("no findings\n")
    sys.stdout.flush()


def _table(found: list[dict[str, Any]], *, headed: bool) -> str:
    from rich.table import Table
    from rich.text import Text

    from sagacity.report.terminal import printed
    from sagacity.report.text import visible

    width, color = screen()
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_header=headed)
    for name in ("finding", "state", "severity", "case", "owner"):
        table.add_column(name, no_wrap=True, min_width=len("acknowledged") if name == "state" else None)
    table.add_column("what", overflow="fold", ratio=1)
    for each in found:
        cells = (each["id"], each["state"], each["severity"], each["case"], each["owner"] or "", each["message"])
        table.add_row(*(Text(visible(cell)) for cell in cells))
    return printed([table], max(width, 100), color)
