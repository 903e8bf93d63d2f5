"""`sagacity check`: judge every case of a history, and report what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sagacity.cli.asking import (
    AS_OF,
    ENGINE,
    FILE,
    LENIENT,
    MAX_REJECTED,
    MEMORY,
    SOURCE,
    THREADS,
    opened,
    promised,
    screen,
    written,
)

__all__ = ["command"]

_OUT = {"metavar": "FILE", "show_default": False}


def command(
    file: FILE,
    source: SOURCE = None,
    as_of: AS_OF = None,
    format: Annotated[str, typer.Option("--format", metavar="text|json", help="What goes to standard output.")] = "text",
    findings: Annotated[
        Path | None, typer.Option("--findings", help="Write every finding to a .parquet, .csv or .jsonl file.", **_OUT)
    ] = None,
    cases: Annotated[
        Path | None, typer.Option("--cases", help="Write every case and its verdict, to such a file.", **_OUT)
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report as one HTML page.", **_OUT)] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML, for CI systems.", **_OUT)] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many findings --format json and --html list at most.")] = 1000,
    max_rejected: MAX_REJECTED = 0,
    lenient: LENIENT = False,
    memory: MEMORY = None,
    threads: THREADS = None,
    engine: ENGINE = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit code and the files say it.")] = False,
) -> None:
    """Judge every case of a history, and report what is wrong.

    Exits with 0 when nothing is wrong, 1 when there are findings, 2 for bad usage, for a workflow with mistakes, or
    where records came and not one leads to a case, 3 for an input that cannot be read.

    \b
    Examples:
      sagacity check order.workflow.yaml
      sagacity check order.workflow.yaml --source orders=events/*.jsonl.gz --source payments=payments.parquet
      sagacity check order.workflow.yaml --as-of 2026-11-01T00:00Z --html report.html
      sagacity check order.workflow.yaml --format json | jq .cases
      sagacity check order.workflow.yaml --engine postgresql://me@warehouse/logs
      zcat events.jsonl.gz | sagacity check order.workflow.yaml --source orders=-
    """
    from sagacity.cli.astray import all_astray
    from sagacity.errors import UsageError

    if format not in ("text", "json"):
        raise UsageError(f"'{format}' is not a format", hint="text or json")
    promised(tables=(findings, cases), texts=(html, junit))
    most = None if lenient else max_rejected
    with opened(file, source, as_of, most, memory, threads, quiet, engine) as history:
        result = history.check(details=format == "json" or html is not None)
        if findings is not None:
            history.write_findings(findings)
        if cases is not None:
            history.write_cases(cases)
        if html is not None:
            from sagacity.report.html.page import render_html

            written(html, render_html(result, limit))
        if junit is not None:
            from sagacity.report.junit import render_junit

            written(junit, render_junit(result))
        if not quiet and format == "json":
            from sagacity.report.document import encoded, to_document

            sys.stdout.write(encoded(to_document(result, limit)))
        elif not quiet:
            from sagacity.report.terminal import render

            width, color = screen()
            sys.stdout.write(render(result, width, color, workflow_path=str(file), html_hint=html is None))
        if len(result.findings):
            raise typer.Exit(1)
        if (mistake := all_astray(result, file.parent)) is not None:
            raise mistake
