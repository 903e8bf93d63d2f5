"""`sagacity alerts`: whether the configuration makes sense, whether its channels work, what was never delivered."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sagacity.cli.remote import SERVER, TOKEN, Remote

if TYPE_CHECKING:
    from sagacity.alerts.config import Alerts

__all__ = ["command"]


class _Action(StrEnum):
    CHECK = "check"
    TEST = "test"
    DEAD_LETTERS = "dead-letters"
    REDRIVE = "redrive"


class _Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


def command(
    action: Annotated[
        _Action, typer.Argument(metavar="check|test|dead-letters|redrive", help="What to do.", show_default=False)
    ],
    config: Annotated[
        Path | None,
        typer.Argument(metavar="CONFIG", help="The configuration file, for `check` and `test`.", show_default=False),
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option("--channel", metavar="NAME", help="Test this channel alone.", show_default=False)
    ] = None,
    owner: Annotated[str | None, typer.Option(help="The owner of a finding to route.", show_default=False)] = None,
    severity: Annotated[_Severity, typer.Option(help="Its severity.")] = _Severity.ERROR,
    workflow: Annotated[str, typer.Option(help="Its workflow.")] = "any",
    server: SERVER = None,
    token: TOKEN = None,
) -> None:
    """Check the configuration of alerts, or send its channels a test message.

    `check` says every mistake, in a server's file also where it is not about alerts, and where notices of a finding of the
    given owner, severity and workflow would go now. It looks no secret up. `test` sends one message to each channel, or to
    those named, and exits with 1 where one fails.
    `dead-letters` lists what a running server could not deliver, and why; `redrive` has it deliver all of that after all.

    \b
    Examples:
      sagacity alerts check server.yaml --owner payments --severity critical
      sagacity alerts test server.yaml
      sagacity alerts test server.yaml --channel payments-slack
      sagacity alerts dead-letters
      sagacity alerts redrive --server https://sagacity.example
    """
    if action is _Action.DEAD_LETTERS:
        return _dead_letters(Remote(server, token))
    if action is _Action.REDRIVE:
        return _redrive(Remote(server, token))
    from sagacity.errors import UsageError

    if config is None:
        raise UsageError(f"`sagacity alerts {action.value}` needs the configuration file", hint="name it: server.yaml")
    alerts = _configured(config)
    if action is _Action.CHECK:
        _check(alerts, owner, severity.value, workflow)
    else:
        _test(alerts, channel)


def _configured(path: Path) -> Alerts:
    """What a server would make of the file, or a file of alerts alone. Raises UsageError for whatever a server refuses."""
    from sagacity.alerts.reading import load
    from sagacity.cli.server.config import check, read_config

    if not _is_a_servers(path):
        return load(path)
    config = read_config(path)
    check(config)
    return load(config.alerts if isinstance(config.alerts, str) else path)


def _is_a_servers(path: Path) -> bool:
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return False  # whoever reads it as alerts says why it cannot be read
    return isinstance(document, dict) and "alerts" in document


def _check(alerts: Alerts, owner: str | None, severity: str, workflow: str) -> None:
    import msgspec

    from sagacity.alerts.config import KINDS
    from sagacity.alerts.routes import deliveries, routed
    from sagacity.alerts.trial import sample
    from sagacity.ledger.live import LiveFinding, Notice
    from sagacity.reconcile.clock import SystemClock
    from sagacity.workflow.instants import instant

    now = SystemClock().now() // 1_000_000 * 1_000_000
    one = msgspec.structs.replace(sample("", now).finding, owner=owner, workflow=workflow)
    finding = msgspec.convert({**msgspec.to_builtins(one), "severity": severity}, LiveFinding)
    whose = f"owner {owner}" if owner is not None else "no owner"
    typer.echo(f"{_counted(len(alerts.channels), 'channel')}, {_counted(len(alerts.routes), 'route')} and the default\n")
    routes = ", ".join(route.name for route in routed(alerts, finding))
    typer.echo(f"A finding of {whose}, severity {severity}, workflow {workflow} takes {routes}:")
    for kind in KINDS:
        if kind == "escalated":
            continue
        for decision in deliveries(alerts, Notice(number=0, key="", kind=kind, at=now, finding=finding), now):
            when = "now" if decision.decided == "deliver" else f"{instant(decision.at)} ({decision.reason})"
            step = f"escalation {decision.step}, " if decision.step else ""
            what = f"not told: {decision.reason}" if decision.decided == "drop" else f"{step}{when}"
            typer.echo(f"  {kind:<9} {decision.channel:<20} {what}")


def _test(alerts: Alerts, channels: list[str] | None) -> None:
    import asyncio
    import os

    from sagacity.alerts.channel import Sent
    from sagacity.alerts.trial import send_test
    from sagacity.errors import UsageError
    from sagacity.reconcile.clock import SystemClock

    failed = False
    for name in channels or alerts.channels:
        try:
            outcome = asyncio.run(send_test(alerts, name, os.environ, SystemClock().now()))
            said = "sent" if isinstance(outcome, Sent) else outcome.why
        except UsageError as error:
            if channels and name not in alerts.channels:
                raise
            said = str(error)
        failed |= said != "sent"
        typer.echo(f"{name}: {said}")
    if failed:
        raise typer.Exit(1)


def _dead_letters(remote: Remote) -> None:
    cursor, count = None, 0
    with remote:
        while True:
            page = remote.get("/api/v1/notices/dead-letters", cursor=cursor, limit=500)
            for letter in page["items"]:
                count += 1
                finding = letter["finding"]
                of = f"{finding['workflow']} {finding['case']}: {finding['expectation']}"
                typer.echo(f"{letter['number']:>8}  {letter['at']}  {letter['kind']:<9} {of}\n{'':10}{letter['error']}")
            cursor = page["next"]
            if cursor is None:
                break
    typer.echo(f"{_counted(count, 'dead letter')}" + ("; `sagacity alerts redrive` has them delivered" if count else ""))


def _redrive(remote: Remote) -> None:
    with remote:
        count = remote.post("/api/v1/notices/dead-letters/redrive", {})["redriven"]
    typer.echo(f"{_counted(count, 'notice')} will be delivered again")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
