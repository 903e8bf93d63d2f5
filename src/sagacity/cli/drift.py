"""`sagacity drift`: what has changed in how cases go, and since when."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sagacity.cli.asking import (
    AS_OF,
    FILE,
    LENIENT,
    MAX_REJECTED,
    MEMORY,
    SOURCE,
    THREADS,
    promised,
    screen,
    watching,
    written,
)

if TYPE_CHECKING:
    from sagacity.discover.drift import Drift

__all__ = ["command"]

_LEAST_WIDTH = 60


def command(
    file: FILE,
    source: SOURCE = None,
    by: Annotated[str, typer.Option("--by", metavar="PERIOD", help="hour, day, week, or a duration such as 30d.")] = "week",
    as_of: AS_OF = None,
    format: Annotated[str, typer.Option("--format", metavar="text|json", help="What goes to standard output.")] = "text",
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", help="Write what changed, and each series, as one HTML page.", show_default=False
        ),
    ] = None,
    max_rejected: MAX_REJECTED = 0,
    lenient: LENIENT = False,
    memory: MEMORY = None,
    threads: THREADS = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit code says it.")] = False,
) -> None:
    """Tell what has changed in how cases go, and since when.

    Cases are counted in the period in which they began, but for those that began so late in the log that they may not be
    over. Looked at are: how often each rule holds, how long it takes from one event to the one that is to follow, how many
    cases have each event type, and how often, event types and ways that are new, and how many cases there are. What was
    otherwise for a while and is over is told as well.

    Exits with 0 where nothing changed, 1 where something did.

    \b
    Examples:
      sagacity drift order.workflow.yaml
      sagacity drift order.workflow.yaml --source orders=events/*.parquet --by week
      sagacity drift order.workflow.yaml --by 30d --as-of end --format json
      sagacity drift order.workflow.yaml --report drift.html
    """
    from sagacity.errors import UsageError
    from sagacity.reconcile.drift import drift
    from sagacity.sources.resolve import parse_source_options
    from sagacity.workflow.language.reader import load

    if format not in ("text", "json"):
        raise UsageError(f"'{format}' is not a format", hint="text or json")
    promised(tables=(), texts=(report,))
    given = parse_source_options(source or [], load(file))
    with watching(quiet) as progress:
        found = drift(
            file,
            given,
            by=by,
            as_of=as_of,
            max_rejected=None if lenient else max_rejected,
            memory=memory,
            threads=threads,
            progress=progress,
        )
    if report is not None:
        from sagacity.report.html.drift import render_drift

        written(report, render_drift(found))
    if not quiet and format == "json":
        import msgspec

        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
    elif not quiet:
        typer.echo(_said(found))
    if found.changes:
        raise typer.Exit(1)


def _said(found: Drift) -> str:
    import textwrap

    from sagacity.report.text import plural, visible
    from sagacity.workflow.durations import format_duration
    from sagacity.workflow.instants import instant

    cases = sum(period.cases for period in found.periods)
    compared = sum(period.cases > 0 for period in found.periods) > 1
    periods = plural(len(found.periods), "period")
    lines = [
        f"{visible(found.workflow)}: {plural(cases, 'case')} in {periods} of {format_duration(found.width)}, "
        f"from {instant(found.periods[0].start)[:10]}",
        *found.notes,
        "",
    ]
    width = max(screen()[0], _LEAST_WIDTH)
    if not found.changes and not compared:
        return "\n".join(lines[:-1])
    if not found.changes:
        return "\n".join([*lines, "Nothing changed that is more than chance."])
    for change in found.changes:
        lines += textwrap.wrap(visible(change.sentence), width, subsequent_indent="  ", break_long_words=False)
    return "\n".join(lines)
