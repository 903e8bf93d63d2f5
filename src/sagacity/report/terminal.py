"""A result on the terminal: the verdict, where the events came from, what was found, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import PurePath

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sagacity.ledger.port import Account
from sagacity.reconcile.result import Finding, Result, Tally
from sagacity.report.summary import BY_SEVERITY, accounted, by_owner, headline, seconds, warnings_of
from sagacity.report.text import percent, plural, shortened, visible
from sagacity.workflow.instants import iso
from sagacity.workflow.words.wording import instant

__all__ = ["KIND_STYLES", "STATUS_STYLES", "printed", "render"]

STATUS_STYLES = {
    "complete": "green",
    "satisfied": "green",
    "open": "yellow",
    "pending": "yellow",
    "violated": "red",
    "vacuous": "dim",
}
KIND_STYLES = {"missing": "red", "late": "yellow", "duplicate": "magenta", "out_of_order": "blue", "mismatch": "cyan"}
_SEVERITY_STYLES = {"critical": "bold red", "error": "red", "warning": "yellow", "info": "blue"}
_ROWS = 15
_EXAMPLES = 5
_MANY = 10_000
"""With fewer events, how many there are in a second says how long the program takes to start."""


def render(
    result: Result,
    width: int = 80,
    color: bool = False,
    *,
    workflow_path: str | None = None,
    html_hint: bool = True,
    program: str = "sagacity",
) -> str:
    """The report as text of at most `width` columns, with ANSI colours where `color` says so; ends in a newline.

    `workflow_path` is what the caller gave for the workflow, for the commands that the report proposes; `html_hint`
    leaves out the proposal of an HTML report where one was just written. `program` is how those commands call this one,
    quoted for a shell.
    """
    parts: list[RenderableType] = [_title(result), Text(), *_verdict(result, width)]
    parts += [Text(), *_accounting(result, width)]
    if len(result.findings):
        parts += [Text(), *_expectations(result, width), *_owners(result, width), Text(), *_worst(result)]
    parts += _warnings(result)
    parts += [Text(), *_next(result, workflow_path or f"{result.workflow.name}.workflow.yaml", html_hint, program)]
    return printed(parts, width, color)


def printed(parts: Iterable[RenderableType], width: int, color: bool) -> str:
    """Renderables as text; without colour, as plain characters without any escape sequence."""
    console = Console(
        file=StringIO(),
        width=max(40, width),
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
        _environ={},
    )
    with console.capture() as capture:
        for part in parts:
            console.print(part, soft_wrap=isinstance(part, Text) and bool(part.no_wrap))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _title(result: Result) -> Text:
    workflow = result.workflow
    text = Text.assemble((visible(workflow.name), "bold"), f" {visible(workflow.version)}, as of {instant(result.as_of)}\n")
    events = sum(account.events - account.redelivered_events for account in result.accounts)
    rate = f", {events / result.elapsed:,.0f} events/s" if result.elapsed > 0 and events >= _MANY else ""
    text.append(
        f"{plural(events, 'event')} in {plural(result.cases.total, 'case')}, judged in {seconds(result.elapsed)}{rate}"
    )
    return text


def _verdict(result: Result, width: int) -> list[RenderableType]:
    cases = result.cases
    shares = (("complete", cases.complete, "█"), ("open", cases.open, "▒"), ("violated", cases.violated, "▓"))
    legend = Text()
    for name, count, glyph in shares:
        legend.append(f"{glyph} ", style=STATUS_STYLES[name])
        legend.append(f"{name} {count:,} ({percent(count, cases.total)})   ", style=STATUS_STYLES[name] if count else "dim")
    bar = _bar([(count, glyph, STATUS_STYLES[name]) for name, count, glyph in shares], min(width, 100))
    legend.rstrip()
    return [_heading(headline(result)), bar, legend]


def _bar(shares: Sequence[tuple[int, str, str]], width: int) -> Text:
    """A bar of the given width, each share in proportion; what is not nothing is seen."""
    total = sum(count for count, _, _ in shares)
    if not total:
        return Text("░" * width, style="dim")
    cells = [max(1, count * width // total) if count else 0 for count, _, _ in shares]
    cells[cells.index(max(cells))] += width - sum(cells)
    return Text.assemble(*((glyph * size, style) for (_, glyph, style), size in zip(shares, cells, strict=True)))


_COLUMNS = ("matched", "redelivered", "unmatched", "orphan", "rejected", "beyond")


def _accounting(result: Result, width: int) -> list[RenderableType]:
    accounts = result.accounts
    used = [name for name in _COLUMNS if name == "matched" or any(getattr(account, name) for account in accounts)]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("source", overflow="ellipsis", no_wrap=True, max_width=max(12, width // 4))
    table.add_column("records", justify="right", no_wrap=True)
    for place, name in enumerate(used):
        table.add_column(f"{'=' if place == 0 else '+'} {name}", justify="right", no_wrap=True)
    rows = [(visible(account.source), account) for account in accounts]
    sums = {name: sum(getattr(account, name) for account in accounts) for name in ("records", *used)}
    for name, account in rows:
        table.add_row(name, *(_number(getattr(account, column), column) for column in ("records", *used)))
    if len(rows) > 1:
        table.add_row("all", *(_number(sums[column], column) for column in ("records", *used)), style="bold")
    fits = Console(width=1000, file=StringIO()).measure(table).maximum <= width
    body: list[RenderableType] = [table] if fits else [_sentence(name, account) for name, account in rows]
    return [_heading(f"Records: {accounted(result)}"), *body]


def _number(count: int, column: str) -> Text:
    wrong = count and column in ("orphan", "rejected")
    return Text(f"{count:,}", style="yellow" if wrong else "" if count else "dim")


def _sentence(name: str, account: Account) -> RenderableType:
    parts = [
        f"{getattr(account, column):,} {column}" for column in _COLUMNS if getattr(account, column) or column == "matched"
    ]
    return Padding(Text(f"{shortened(name, 40)}: {account.records:,} = {' + '.join(parts)}"), (0, 0, 0, 2))


def _expectations(result: Result, width: int) -> list[RenderableType]:
    found = sorted((tally for tally in result.tallies if tally.findings), key=_rank)
    most = max((tally.findings for tally in found), default=1)
    shown = found if len(found) <= _ROWS + 1 else found[:_ROWS]  # a line that says "1 more" would take that one's place
    table = _wide(shown, most, 12 if width < 130 else 20) if width >= 100 else _narrow(shown, most)
    more = len(found) - len(shown)
    rest = [Text(f"and {more:,} expectations more with findings", style="dim")] if more else []
    clean = len(result.tallies) - len(found)
    said = f"{len(result.findings):,}; of {plural(len(result.tallies), 'expectation')}, {clean or 'none'} "
    said += "are without findings" if clean > 1 else "is without findings"
    return [_heading(f"Findings by expectation: {said}"), table, *rest]


def _wide(found: Sequence[Tally], most: int, size: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("expectation", overflow="fold", max_width=48)
    table.add_column("findings", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, width=size)
    table.add_column("kinds", overflow="fold")
    table.add_column("severity", no_wrap=True)
    table.add_column("owner", overflow="ellipsis", no_wrap=True, max_width=24)
    for tally in found:
        severity = Text(tally.severity, style=_SEVERITY_STYLES[tally.severity])
        owner = Text(visible(tally.owner or "-"))
        table.add_row(Text(_called(tally)), f"{tally.findings:,}", _share(tally, most, size), _kinds(tally), severity, owner)
    return table


def _narrow(found: Sequence[Tally], most: int) -> Table:
    """Two lines an expectation, where columns would be too narrow for its name."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True, width=10)
    table.add_column(overflow="fold")
    for tally in found:
        about = Text(tally.severity, style=_SEVERITY_STYLES[tally.severity])
        about.append(f", {shortened(visible(tally.owner), 40)}: " if tally.owner else ": ", style="dim").append_text(
            _kinds(tally)
        )
        table.add_row(f"{tally.findings:,}", _share(tally, most, 10), Text(_called(tally), style="bold"))
        table.add_row("", "", about)
    return table


def _called(tally: Tally) -> str:
    return shortened(visible(tally.name), 120)


def _share(tally: Tally, most: int, size: int) -> Text:
    return Text("█" * max(1, tally.findings * size // most), style="red")


def _rank(tally: Tally) -> tuple[int, int, str]:
    return BY_SEVERITY.index(tally.severity), -tally.findings, tally.name


def _kinds(tally: Tally) -> Text:
    parts = Text()
    for kind, count in sorted(tally.kinds.items(), key=lambda entry: -entry[1]):
        parts.append((", " if parts else "") + f"{count:,} ")
        parts.append(kind.replace("_", " "), style=KIND_STYLES.get(kind, "red"))
    return parts


def _owners(result: Result, width: int) -> list[RenderableType]:
    owners = by_owner(result)
    if [owner for owner, _, _ in owners] == [None]:
        return []
    most = max(count for _, count, _ in owners)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(overflow="ellipsis", no_wrap=True, max_width=width // 4)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True, width=20)
    table.add_column(overflow="ellipsis", no_wrap=True)
    widest = min(width // 4, max(len(visible(owner or "nobody")) for owner, _, _ in owners[:8]))
    room = max(12, width - widest - len(f"{most:,}") - 34)
    for owner, count, worst in owners[:8]:
        bar = Text("█" * max(1, count * 20 // most), style="red")
        table.add_row(
            Text(visible(owner or "nobody")),
            f"{count:,}",
            bar,
            Text(f"most: {shortened(visible(worst), room)}", style="dim"),
        )
    return [Text(), _heading("Findings by owner"), table]


def _worst(result: Result) -> list[RenderableType]:
    examples = _examples(result)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(overflow="fold", no_wrap=False, max_width=24)
    table.add_column(overflow="fold")
    for finding in examples:
        table.add_row(
            Text(f"case {shortened(visible(finding.case), 40)}", style="bold"),
            Text(shortened(visible(finding.message), 400)),
        )
    return [_heading("Worst examples"), table]


def _examples(result: Result) -> list[Finding]:
    """One finding of each of the worst expectations; of fewer expectations, what comes next."""
    chosen = [tally.examples[0] for tally in sorted(result.tallies, key=_rank) if tally.examples][:_EXAMPLES]
    known = {finding.id for finding in chosen}
    more = [finding for finding in result.findings.head(_EXAMPLES) if finding.id not in known]
    return [*chosen, *more][:_EXAMPLES]


def _warnings(result: Result) -> list[RenderableType]:
    warnings = warnings_of(result)
    if not warnings:
        return []
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for text, details in warnings:
        table.add_row(Text("!", style="bold yellow"), Text(visible(text), style="yellow"))
        for detail in details:
            table.add_row("", Text(visible(detail), style="dim"))
    return [Text(), _heading("Worth a look"), table]


def _next(result: Result, workflow_path: str, html_hint: bool, program: str) -> list[RenderableType]:
    """Commands to go on with."""
    given = [account for account in result.accounts if not _by_itself(result, account, workflow_path)]
    sources = "".join(f" --source {_quoted(f'{account.source}={account.given}')}" for account in given)
    if len(sources) > 70 or any(", " in account.given for account in given):
        sources = " --source …"
    asked = f"{sources} --as-of {iso(result.as_of) or 'end'}"
    path = _quoted(workflow_path)
    commands = []
    if result.worst or len(result.findings):
        case = result.worst[0].case if result.worst else result.findings.head(1)[0].case
        commands.append(("why, for one case:", f"{program} explain {path} --case {_quoted(case)}{asked}"))
    if html_hint:
        commands.append(("to look around:", f"{program} check {path}{asked} --html report.html"))
    if not len(result.findings):
        commands.append(("the workflow as a picture:", f"{program} show {path}"))
    lines: list[RenderableType] = [_heading("Next")]
    for why, command in commands:
        lines += [Text(f"  {why}", style="dim"), Text(f"    {command}", no_wrap=True)]
    return lines


def _by_itself(result: Result, account: Account, workflow_path: str) -> bool:
    """Whether a source was read from where its workflow says, so that a command need not name it."""
    source = result.workflow.sources.get(account.source)
    if source is None or source.path is None:
        return False
    return account.given in (source.path, str(PurePath(workflow_path).parent / source.path))


def _quoted(text: str) -> str:
    return shlex.quote(visible(text))
