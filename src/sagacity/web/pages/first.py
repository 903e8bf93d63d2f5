"""How to send the first event, where nothing has come in yet."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from sagacity.report.markup import Markup, tag
from sagacity.web.pages.words import card, lined
from sagacity.workflow.instants import iso
from sagacity.workflow.model import Workflow

__all__ = ["first_event", "first_line"]

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_FIRST = "123"


def first_event(workflows: Sequence[Workflow], origin: str, now: int, *, sagas: bool = False) -> Markup:
    """The line to copy; `origin` is where this server is reached, `now` becomes the event's time. A server that shows
    `sagas` and judges by nothing has been set up for them alone."""
    if sagas and not workflows:
        return card(
            tag("h2", "This server shows ", tag("a", "sagas", href="/sagas")),
            tag("p", "It judges by no workflow yet. ", tag("code", "sagacity saga workflow NAME"),
                " prints the one that audits a saga, which can be ", tag("a", "handed in", href="/workflows"), "."),
        )  # fmt: skip
    knows = None
    if not workflows:
        knows = tag("p", "No workflow is judged yet. Start the server with ", tag("code", "--workflow FILE"),
                    ", or ", tag("a", "hand one in", href="/workflows"), ".")  # fmt: skip
    line = first_line(workflows[0] if workflows else None, origin, now)
    return card(
        tag("h2", "Nothing has come in yet"),
        knows,
        tag("p", "Verdicts appear here as soon as events come from a broker, from a file, or from a single line:"),
        tag("div", tag("pre", tag("code", lined(line), id="first-line"), tabindex="0", role="region",
            aria_label="The line that sends an event"),
            tag("button", "Copy", type="button", data_copy="first-line", hidden=True), class_="copy"),
        tag("p", "Where access tokens are asked for, add ", tag("code", "-H 'authorization: Bearer TOKEN'"),
            " with one that may ingest. The same from a file: ", tag("code", "sagacity send order-placed.json"), ".",
            class_="soft"),
    )  # fmt: skip


def first_line(workflow: Workflow | None, origin: str, now: int) -> str:
    """A command that hands in an event with which a case of the workflow may begin, as far as its expressions are paths."""
    address, record = f"{origin}/ingest", _record(workflow, now)
    if workflow is not None and workflow.events:
        address += f"/{quote(workflow.events[_begin(workflow)].source, safe='')}"
    text = json.dumps(record).replace("'", "'\\''")
    return f"curl -X POST {address} \\\n  -H 'content-type: application/json' \\\n  -d '{text}'"


def _begin(workflow: Workflow) -> str:
    return next((name for name in workflow.begins if name in workflow.events), next(iter(workflow.events)))


def _record(workflow: Workflow | None, now: int) -> dict[str, Any]:
    time = iso(now - now % 1_000_000)
    record: dict[str, Any] = {}
    if workflow is None or not workflow.events:
        return {"specversion": "1.0", "id": "1", "source": "/shop", "type": "OrderPlaced", "time": time,
                "data": {"order_id": _FIRST}}  # fmt: skip
    name = _begin(workflow)
    event, source = workflow.events[name], workflow.source_of(name)
    _put(record, source.type, event.type or name)
    _put(record, event.id or source.id, "1")
    _put(record, event.time or source.time, time)
    for expression in (event.keys or source.keys).values():
        _put(record, expression, _FIRST)
    return record


def _put(record: dict[str, Any], path: str | None, value: str | None) -> None:
    """Set a value at a path such as `data.order.id`; an expression that is no path is left to the reader."""
    if path is None or not _PATH.fullmatch(path):
        return
    *above, last = path.split(".")
    for step in above:
        inner = record.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        record = inner
    record.setdefault(last, value)
