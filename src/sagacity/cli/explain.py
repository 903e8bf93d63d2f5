"""`sagacity explain`: one case, its events, and each verdict with its reason."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sagacity.cli.asking import AS_OF, FILE, LENIENT, MAX_REJECTED, SOURCE, opened, screen

__all__ = ["command"]


def command(
    file: FILE,
    case: Annotated[str, typer.Option("--case", metavar="ID", help="The case: the value of the workflow's first key.")],
    source: SOURCE = None,
    as_of: AS_OF = None,
    format: Annotated[str, typer.Option("--format", metavar="text|json", help="What goes to standard output.")] = "text",
    max_rejected: MAX_REJECTED = 0,
    lenient: LENIENT = False,
) -> None:
    """Show one case: its events in order, and each expectation with its verdict and the reason.

    Exits with 0 when the case has no finding, with 1 when it has one.

    \b
    Examples:
      sagacity explain order.workflow.yaml --case 123
      sagacity explain order.workflow.yaml --case 123 --source orders=events/*.jsonl.gz --as-of 2026-11-01T00:00Z
      sagacity explain order.workflow.yaml --case 123 --format json
    """
    from sagacity.errors import UsageError
    from sagacity.workflow.verdict import CaseStatus

    if format not in ("text", "json"):
        raise UsageError(f"'{format}' is not a format", hint="text or json")
    with opened(file, source, as_of, None if lenient else max_rejected, None, None, False) as history:
        explanation = history.explain(case)
        if format == "json":
            from sagacity.report.document import encoded, explanation_document

            document = explanation_document(history.workflow, explanation, history.as_of)
            sys.stdout.write(encoded(document))
        else:
            from sagacity.report.explanation import render_explanation

            width, color = screen()
            sys.stdout.write(render_explanation(history.workflow, explanation, history.as_of, width, color))
        if explanation.verdict.status == CaseStatus.VIOLATED:
            raise typer.Exit(1)
