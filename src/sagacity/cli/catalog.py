"""`sagacity catalog`: every event type of an organisation, and what is amiss."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sagacity.cli.asking import MEMORY, THREADS, promised, screen, watching, written

if TYPE_CHECKING:
    from sagacity.catalog.entry import Catalog

__all__ = ["command"]

_OUT = {"metavar": "FILE", "show_default": False}
_FIELD = {"metavar": "FIELD", "show_default": False}
_LEAST_WIDTH = 60


def command(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES...",
            help="AsyncAPI documents (2 and 3), JSON Schemas, workflows, and event logs: files, folders, globs.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write the catalogue as one HTML page.", **_OUT),
    ] = None,
    format: Annotated[str, typer.Option("--format", metavar="text|json", help="What goes to standard output.")] = "text",
    type: Annotated[str | None, typer.Option("--type", help="The field that holds an event's type.", **_FIELD)] = None,
    time: Annotated[str | None, typer.Option("--time", help="The field that holds its time.", **_FIELD)] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 where anything is amiss.")] = False,
    memory: MEMORY = None,
    threads: THREADS = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
) -> None:
    """List every event type: who makes it, who owns it, what correlates it, what expects it, and where it was seen.

    Documents, workflows and logs are told apart by what they hold. What is amiss comes first: what is declared and never
    seen, seen and in no document or workflow, sent and expected by nobody, expected and owned by nobody.

    \b
    Examples:
      sagacity catalog asyncapi/*.yaml workflows/*.yaml events/*.parquet -o catalog.html
      sagacity catalog services/ --strict --quiet
      sagacity catalog asyncapi/ events.jsonl --format json
    """
    from sagacity.errors import UsageError
    from sagacity.reconcile.catalog import catalog

    if format not in ("text", "json"):
        raise UsageError(f"'{format}' is not a format", hint="text or json")
    promised(tables=(), texts=(out,))
    with watching(quiet) as progress:
        found = catalog(files, type=type, time=time, memory=memory, threads=threads, progress=progress)
    if out is not None:
        from sagacity.report.html.catalog import render_catalog

        written(out, render_catalog(found))
    if not quiet and format == "json":
        import msgspec

        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
    elif not quiet:
        typer.echo(_said(found, out))
    if strict and found.gaps:
        raise typer.Exit(1)


def _said(found: Catalog, out: Path | None) -> str:
    import textwrap

    from sagacity.catalog.gaps import GAPS
    from sagacity.report.text import plural, visible

    width = max(screen()[0], _LEAST_WIDTH)
    seen = sum(entry.seen is not None for entry in found.entries)
    expected = sum(bool(entry.expected_by) for entry in found.entries)
    lines = [f"{plural(len(found.entries), 'event type')}: {seen:,} seen, {expected:,} expected by a workflow"]
    for kind in GAPS:
        gaps = [gap for gap in found.gaps if gap.kind == kind]
        if gaps:
            lines += ["", f"{kind[0].upper()}{kind[1:]} ({len(gaps):,})"]
            for gap in gaps:
                text = visible(f"  {gap.name}: {gap.sentence}")
                lines += textwrap.wrap(text, width, subsequent_indent="    ", break_long_words=False)
    lines += [""] if found.notes else []
    for note in found.notes:
        lines += textwrap.wrap(visible(f"note: {note}"), width, subsequent_indent="  ", break_long_words=False)
    if out is not None:
        lines += ["", f"wrote {out}"]
    return "\n".join(lines)
