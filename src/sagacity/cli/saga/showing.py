"""Sagas as text on a terminal, or in a pipe."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from rich.cells import cell_len
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sagacity.cli.asking import screen
from sagacity.report.terminal import printed
from sagacity.report.text import plural, shortened, visible
from sagacity.web.saga_documents import SagaDefinitionDocument, SagaDocument, SagaLetter, SagaStep
from sagacity.web.times import instant_of
from sagacity.workflow.instants import instant, span

if TYPE_CHECKING:
    from sagacity.saga.postgres.listing import Line, Shown

__all__ = ["saga_text", "table_of_definitions", "table_of_letters", "table_of_sagas"]

_STYLES = {
    "completed": "green", "done": "green", "skipped": "green", "compensated": "yellow", "undone": "yellow",
    "undo-skipped": "yellow", "compensating": "yellow", "undoing": "yellow", "undo-resting": "yellow", "waiting": "dim",
    "pending": "dim", "parked": "bold red", "undo-parked": "bold red", "failed": "red", "unknown": "red", "abandoned": "red",
}  # fmt: skip
_SECOND = 1_000_000
_NARROWEST, _MARGIN, _GAP = 110, 2, 2
"""Columns of the screen."""


def table_of_sagas(lines: Sequence[Line], now: int) -> str:
    """Sagas, a row each."""
    if not lines:
        return "no sagas\n"
    table = _table("saga", "definition", "status", "for", "started", wide="why")
    for line in lines:
        table.add_row(
            Text(visible(line.id)),
            Text(visible(f"{line.definition} {line.version}")),
            _status(line.status),
            Text("" if line.ended is not None else _age(line.stands, now)),
            Text(_second(line.started)),
            Text(visible(line.cause or "")),
        )
    return _printed([table])


def saga_text(document: SagaDocument, shown: Shown, now: int) -> str:
    """One saga, with all that is known of it."""
    line = shown.line
    since = "" if line.ended is not None else f", for {_age(line.stands, now)}"
    title = Text.assemble(
        "saga ",
        (visible(line.id), "bold"),
        f" of {visible(line.definition)} {line.version} is ",
        _status(line.status),
        since,
    )
    parts: list[RenderableType] = [title, *_about(document)]
    if document.steps:
        parts += [Text(), _heading("Steps"), _steps(document.steps, now)]
    parts += [Text(), _heading("Timeline"), _timeline(document)]
    if document.orders:
        parts += [Text(), _heading("Orders"), _orders(document)]
    if line.ended is None:
        parts += [Text(), _heading("What may be ordered"), _allowed(document)]
    return _printed(parts)


def table_of_definitions(found: Sequence[SagaDefinitionDocument]) -> str:
    """Definitions, a row each version."""
    if not found:
        return "no definitions\n"
    table = _table("definition", "version", "since", wide="sagas")
    for each in found:
        counts = ", ".join(f"{count:,} {status}" for status, count in each.sagas.items()) or "none"
        problem = f"; cannot be read: {each.problem}" if each.problem else ""
        table.add_row(
            Text(visible(each.name)), Text(str(each.version)), Text(_of(each.since)), Text(visible(counts + problem))
        )
    return _printed([table])


def table_of_letters(found: Sequence[SagaLetter]) -> str:
    """Dead letters, a row each."""
    if not found:
        return "no dead letters\n"
    table = _table("number", "consumer", "topic", "message", "since", wide="reason")
    for each in found:
        message = each.type or "not readable"
        about = f"{message} of {each.saga}" if each.saga else message
        reason = each.reason + (f"; given again {_of(each.redriven)} by {each.redriven_by}" if each.redriven else "")
        cells = (str(each.number), each.consumer, each.topic or "in process", about, _of(each.since), reason)
        table.add_row(*(Text(visible(cell)) for cell in cells))
    return _printed([table])


def _about(document: SagaDocument) -> list[RenderableType]:
    saga = document.saga
    entries = [
        ("why", saga.cause),
        ("cannot be read", document.problem),
        ("waits for", ", ".join(document.waits_for)),
        ("resources", ", ".join(saga.resources)),
        ("started", _of(saga.started)),
        ("ended", _of(saga.ended)),
        ("looked at next", _of(saga.due)),
        ("correlation id", document.correlation_id if document.correlation_id != saga.id else None),
        ("trace", document.traceparent),
        ("input", _json(document.input)),
        ("replies that did not count", ", ".join(f"{count} {why}" for why, count in document.ignored.items() if count)),
    ]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for name, value in entries:
        if value:
            table.add_row(name, Text(visible(value)))
    return [Padding(table, (0, 0, 0, 2))]


def _steps(steps: Sequence[SagaStep], now: int) -> RenderableType:
    commands = [each for step in steps for each in (step.command, step.compensation) if each]
    least = max((len(f"command {each}") for each in commands), default=0)
    table = _table("step", "kind", "status", "sent", wide="what is known", least=least)
    for step in steps:
        undoing = step.status.startswith("und")
        command = step.compensation if undoing else step.command
        known = [f"why: {step.cause}"] if step.cause else []
        known += [f"command {command}"] if command else []
        known += [_due(instant_of(step.due), now)] if step.due else []
        known += [f"replied {_json(step.reply)}"] if step.reply is not None else []
        tries = step.compensation_attempt if undoing else step.attempt
        sent = "" if not tries else f"{plural(tries, 'attempt')}" + (f", {step.sends} times" if step.sends > 1 else "")
        table.add_row(
            Text(visible(step.name)),
            Text(step.kind or ""),
            _status(step.status),
            Text(sent),
            Text("\n".join(map(visible, known))),
        )
    return Padding(table, (0, 0, 0, 2))


def _timeline(document: SagaDocument) -> RenderableType:
    table = _table("", "time", "event", "step", wide="why", headed=False)
    for event in document.events:
        by = f" (by {event.by})" if event.by else ""
        cells = (str(event.number), _of(event.time), event.type, event.step or "", f"{event.cause or ''}{by}".strip())
        table.add_row(*(Text(visible(cell)) for cell in cells))
    return Padding(table, (0, 0, 0, 2))


def _orders(document: SagaDocument) -> RenderableType:
    table = _table("", "time", "order", "by", wide="reason, and what became of it", headed=False)
    for each in document.orders:
        order = f"{each.order} {each.step}" if each.step else each.order
        outcome = "waits for an orchestrator" if each.outcome is None else each.outcome.replace("\n  hint: ", "; ")
        told = f"{each.reason}: {outcome}" if each.reason else outcome
        cells = (str(each.number), _of(each.since), order, each.by, told)
        table.add_row(*(Text(visible(cell)) for cell in cells))
    return Padding(table, (0, 0, 0, 2))


def _allowed(document: SagaDocument) -> RenderableType:
    if not document.allowed:
        return Text("  nothing now: it goes on by itself" if document.saga.status != "parked" else "  nothing")
    sent = max((len(each) for allowed in document.allowed for each in allowed.sends), default=0)
    table = _table("order", wide="then", headed=False, least=sent + 1)
    for each in document.allowed:
        step = f" --step {shlex.quote(visible(each.step))}" if each.step else ""
        command = f"sagacity saga {each.order} {shlex.quote(visible(document.saga.id))}{step} --reason ..."
        sends = f"sends {', '.join(each.sends)}; " if each.sends else ""
        table.add_row(Text(command), Text(f"{sends}then {each.status}", style="dim"))
    return Padding(table, (0, 0, 0, 2))


def _table(*names: str, wide: str, headed: bool = True, least: int = 0) -> Table:
    """A table whose last column takes the room that is left, and has at `least` so many columns of the screen."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_header=headed)
    for name in names:
        table.add_column(name, no_wrap=True)
    table.add_column(wide, overflow="fold", ratio=1, min_width=max(least, 24))
    return table


def _printed(parts: Sequence[RenderableType]) -> str:
    """As wide as the screen, and wider where an id would have to be broken otherwise: who copies it needs it whole."""
    width, color = screen()
    bare = (part.renderable if isinstance(part, Padding) else part for part in parts)
    needed = (_MARGIN + _needed(part) for part in bare if isinstance(part, Table))
    return printed(parts, max(width, _NARROWEST, *needed), color)


def _needed(table: Table) -> int:
    *fixed, wide = table.columns
    cells = ([str(column.header), *(str(cell) for cell in column.cells)] for column in fixed)
    return sum(max(map(cell_len, each)) + _GAP for each in cells) + (wide.min_width or 0)


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _status(name: str) -> Text:
    return Text(name, style=_STYLES.get(name, ""))


def _json(value: Any) -> str:
    return "" if value is None else shortened(msgspec.json.format(msgspec.json.encode(value), indent=0).decode(), 400)


def _age(us: int, now: int) -> str:
    away = abs(now - us)
    said = span(away - away % _SECOND, 2) if away >= _SECOND else "a moment"
    return said if us <= now else f"in {said}"


def _due(us: int, now: int) -> str:
    return f"looked at {_age(us, now)}" if us > now else f"due {_age(us, now)} ago"


def _second(us: int) -> str:
    return instant(us - us % _SECOND)


def _of(text: str | None) -> str:
    """An instant of a document, to the second."""
    if not text:
        return ""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%SZ")
