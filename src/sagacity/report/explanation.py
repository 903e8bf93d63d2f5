"""One case on the terminal: its timeline, and each expectation with its verdict and the reason for it."""

from __future__ import annotations

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sagacity.reconcile.result import Explanation
from sagacity.report.case import CaseView, Expected, Ghost, Happened, case_view, values
from sagacity.report.terminal import KIND_STYLES, STATUS_STYLES, printed
from sagacity.report.text import plural, visible
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import FOREVER
from sagacity.workflow.verdict import Status
from sagacity.workflow.words.wording import instant, span

__all__ = ["render_explanation"]

_SIGNS = {Status.VIOLATED: "✗", Status.PENDING: "…", Status.SATISFIED: "✓", Status.VACUOUS: "-"}


def render_explanation(
    workflow: Workflow, explanation: Explanation, as_of: int, width: int = 80, color: bool = False
) -> str:
    """The case as text of at most `width` columns, with ANSI colours where `color` says so; ends in a newline."""
    view = case_view(workflow, explanation, as_of)
    parts: list[RenderableType] = [_title(workflow, explanation, as_of), Text(), _timeline(view, width), Text()]
    parts += [Text("Expectations", style="bold"), _expectations(view)]
    return printed(parts, width, color)


def _title(workflow: Workflow, explanation: Explanation, as_of: int) -> Text:
    verdict = explanation.verdict
    status = verdict.status.value
    text = Text.assemble(
        ("case ", "bold"),
        (visible(explanation.case), "bold"),
        f" of {visible(workflow.name)} is ",
        (status, f"bold {STATUS_STYLES[status]}"),
    )
    text.append(f", as of {instant(as_of)}\n")
    again = f", {plural(verdict.redelivered, 'redelivery', 'redeliveries')} set aside" if verdict.redelivered else ""
    text.append(f"{plural(len(explanation.events), 'event')} since {instant(verdict.start)}{again}; ")
    if verdict.end == FOREVER:
        text.append("nothing ends the case" if as_of != FOREVER else "ended with the log")
    else:
        text.append(f"{'ended' if verdict.ended else 'ends by'} {instant(verdict.end)}")
    return text


def _timeline(view: CaseView, width: int) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("time", no_wrap=True)
    table.add_column("since the last", justify="right", no_wrap=True)
    table.add_column("event", overflow="fold")
    for name in ("id", "attributes") if width >= 120 else ():
        table.add_column(name, overflow="fold")
    rows = [(entry.event.time, 1, _event_rows(entry, width >= 120)) for entry in view.happened]
    rows += [(ghost.due, 0, [_ghost_row(ghost)]) for ghost in view.ghosts]
    for _, _, lines in sorted(rows, key=lambda row: row[:2]):
        for cells in lines:
            table.add_row(*cells)
    return table


def _event_rows(entry: Happened, wide: bool) -> list[list[Text]]:
    """The row of an event, and one for each violation that it has to do with."""
    event = entry.event
    captured = ", ".join(f"{name} {value}" for name, value in values(event))
    style = KIND_STYLES.get(entry.involved[0][1], "red") if entry.involved else ""
    said = Text(visible(event.type), style=f"bold {style}" if style else "")
    gap = "" if entry.gap is None else f"+{span(entry.gap, 2)}"
    cells = [Text("●" if style else "·", style=style or "dim"), Text(instant(event.time)), Text(gap, style="dim")]
    if wide:
        cells += [said, Text(visible(event.id or ""), style="dim"), Text(visible(captured))]
    else:
        details = "  ".join(part for part in (event.id or "", captured) if part)
        cells.append(Text.assemble(said, (f"  {visible(details)}", "dim") if details else ""))
    notes = [
        Text(f"{kind.replace('_', ' ')}: {visible(name)}", style=KIND_STYLES.get(kind, "red"))
        for name, kind in entry.involved
    ]
    return [cells, *([Text(), Text(), Text(), note] for note in notes)]


def _ghost_row(ghost: Ghost) -> list[Text]:
    said = Text(f"{visible(ghost.type)} was due ({ghost.kind})", style="red")
    return [Text("○", style="red"), Text(instant(ghost.due), style="dim"), Text(), said]


def _expectations(view: CaseView) -> RenderableType:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for entry in view.expected:
        style = STATUS_STYLES[entry.status.value]
        plain = entry.status in (Status.SATISFIED, Status.VACUOUS)
        name = Text(visible(entry.name), style="dim" if plain else f"bold {style}")
        table.add_row(Text(_SIGNS[entry.status], style=style), name)
        for line in _reasons(entry):
            table.add_row("", Padding(Text(visible(line), style="dim" if plain else ""), (0, 0, 0, 2)))
    return table


def _reasons(entry: Expected) -> list[str]:
    if not entry.messages:
        return [entry.reason]
    shown = list(entry.messages[:5])
    more = len(entry.messages) - len(shown)
    return [*shown, f"and {more:,} more"] if more else shown
