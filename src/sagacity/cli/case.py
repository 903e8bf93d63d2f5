"""`sagacity case`: one case of a running server, in the manner of `sagacity explain`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sagacity.cli.asking import screen
from sagacity.cli.remote import SERVER, TOKEN, Remote

if TYPE_CHECKING:
    from sagacity.reconcile.result import Explanation
    from sagacity.workflow.model import Workflow
    from sagacity.workflow.trace import Value

__all__ = ["command", "explanation_of"]


def command(
    case: Annotated[str, typer.Argument(metavar="ID", help="The case: the value of the workflow's first key.")],
    workflow: Annotated[
        str | None,
        typer.Option("--workflow", "-w", metavar="NAME", help="Needed where several workflows have it.", show_default=False),
    ] = None,
    format: Annotated[str, typer.Option("--format", metavar="text|json", help="What goes to standard output.")] = "text",
    server: SERVER = None,
    token: TOKEN = None,
) -> None:
    """Show one case of a running server: its events, each expectation with the reason, its findings.

    Exits with 0 when the case is not violated, with 1 when it is.

    \b
    Examples:
      sagacity case 123
      sagacity case 123 --workflow order --server https://sagacity.example
      sagacity case 123 --format json
    """
    import json

    from sagacity.errors import UsageError

    if format not in ("text", "json"):
        raise UsageError(f"'{format}' is not a format", hint="text or json")
    with Remote(server, token) as remote:
        told = remote.get("/api/v1/timeline", case=case, workflow=workflow)
        if format == "json":
            sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        else:
            _print(told, _workflow_text(remote, told["case"]["workflow"]))
    if told["case"]["status"] == "violated":
        raise typer.Exit(1)


def _workflow_text(remote: Remote, name: str) -> str:
    from urllib.parse import quote

    return str(remote.get(f"/api/v1/workflows/{quote(name, safe='')}")["text"])


def _print(told: dict[str, Any], text: str) -> None:
    from sagacity.report.explanation import render_explanation
    from sagacity.report.text import visible
    from sagacity.web.times import instant_of
    from sagacity.workflow.language.reader import loads

    workflow = loads(text)
    explanation = explanation_of(told, workflow)
    width, color = screen()
    if explanation is not None:
        as_of = instant_of(told["case"]["as_of"])
        sys.stdout.write(render_explanation(workflow, explanation, as_of, width, color))
    else:
        sys.stdout.write(f"case {visible(told['case']['case'])} of {visible(told['case']['workflow'])} is not judged yet\n")
    if waiting := [each for each in told["expectations"] if each["behind"]]:
        _section("Waiting for sources that are behind", [f"{each['name']}: {each['reason']}" for each in waiting])
    if later := [each for each in told["events"] if not each["judged"]]:
        _section("Not judged yet", [f"{each['time']}  {each['type']}  {each['id'] or ''}".rstrip() for each in later])
    if told["findings"]:
        _section("Findings", [_finding(each) for each in told["findings"]])


def _section(title: str, lines: list[str]) -> None:
    from sagacity.report.text import visible

    sys.stdout.write(f"\n{title}\n" + "".join(f"  {visible(line)}\n" for line in lines))


def _finding(finding: dict[str, Any]) -> str:
    by = f" by {finding['by']}" if finding["by"] else ""
    reason = f": {finding['reason']}" if finding["reason"] else ""
    return f"{finding['id']}  {finding['state']}{by}{reason}  {finding['severity']}  {finding['message']}"


def explanation_of(told: dict[str, Any], workflow: Workflow) -> Explanation | None:
    """The judged part of a timeline document as what `sagacity explain` shows; None before the first verdict. The workflow
    tells which attributes are decimals: a document has those as text."""
    from sagacity.reconcile.result import Explanation
    from sagacity.web.times import instant_of
    from sagacity.workflow.trace import FOREVER, Event
    from sagacity.workflow.verdict import CaseVerdict, Verdict, Violation

    def at(text: str | None) -> int | None:
        return None if text is None else instant_of(text)

    if not told["expectations"]:
        return None
    events = tuple(
        Event(each["type"], instant_of(each["time"]), int(each["seq"]), each["id"], _attributes(each, workflow))
        for each in told["events"]
        if each["judged"]
    )
    verdicts = tuple(
        Verdict(
            each["name"],
            each["activations"],
            each["fulfilled"],
            each["pending"],
            tuple(
                Violation(v["kind"], FOREVER if v["since"] is None else instant_of(v["since"]), v["type"], at(v["time"]),
                          v["activation"])
                for v in each["violations"]
            ),
            at(each["due"]),
        )
        for each in told["expectations"]
    )  # fmt: skip
    end = at(told["ends"])
    start = min(event.time for event in events)
    verdict = CaseVerdict(verdicts, told["case"]["ended"], start, FOREVER if end is None else end, told["redelivered"])
    return Explanation(told["case"]["case"], events, verdict)


def _attributes(event: dict[str, Any], workflow: Workflow) -> dict[str, Value]:
    from decimal import Decimal

    known = workflow.events.get(event["type"])
    decimals = {name for name, capture in known.capture.items() if capture.type == "decimal"} if known is not None else set()
    found: dict[str, Value] = {}
    for name, value in event["attributes"].items():
        found[name] = Decimal(value) if name in decimals and isinstance(value, str) else value
    return found
