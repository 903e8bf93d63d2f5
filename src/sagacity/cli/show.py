"""`sagacity show`: a workflow as a picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sagacity.cli.asking import written

__all__ = ["command"]

_SVG = ("", ".svg")
_MERMAID = ("", ".mmd", ".mermaid", ".md", ".txt")
"""How the names of files end that hold each."""


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A workflow file.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to this file; - is standard output.", show_default=False),
    ] = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Mermaid text instead of an SVG.")] = False,
) -> None:
    """Draw a workflow as a picture.

    Event types are boxes, expectations lines between them. Without --output an SVG goes to standard output where that
    is piped, and to a file named after the workflow's on a terminal; Mermaid text always goes to standard output. A file
    that ends in .mmd gets Mermaid text.

    \b
    Examples:
      sagacity show order.workflow.yaml
      sagacity show order.workflow.yaml -o docs/order.svg
      sagacity show order.workflow.yaml --mermaid >> README.md
    """
    from sagacity.errors import UsageError
    from sagacity.workflow.language.reader import load

    suffix = "" if output is None else output.suffix.lower()
    mermaid = mermaid or suffix == ".mmd"
    if suffix not in (_MERMAID if mermaid else _SVG):
        kind, ends = ("Mermaid text", ".mmd") if mermaid else ("an SVG", ".svg, or .mmd for Mermaid text")
        raise UsageError(f"{output} would hold {kind}", hint=f"end its name with {ends}")
    workflow = load(file)
    if mermaid:
        from sagacity.report.mermaid import mermaid as drawn
    else:
        from sagacity.report.picture import picture as drawn
    text = drawn(workflow)
    if output is None and not mermaid and sys.stdout.isatty():
        output = Path(f"{file.name.removesuffix('.yaml').removesuffix('.yml').removesuffix('.workflow')}.svg")
    if output is None or str(output) == "-":
        sys.stdout.write(text)
        return
    written(output, text)
    typer.echo(f"wrote {output}", err=True)
