"""`sagacity schema`: the JSON Schema of workflow files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sagacity.cli.asking import written

__all__ = ["command"]


def command(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.", show_default=False)
    ] = None,
) -> None:
    """Print the JSON Schema of workflow files, for editors.

    An editor that knows it completes keys and underlines mistakes. With the YAML extension of many editors, begin a
    workflow file with: # yaml-language-server: $schema=workflow.schema.json

    \b
    Examples:
      sagacity schema
      sagacity schema -o workflow.schema.json
    """
    import json

    from sagacity.workflow.language.schema import schema

    text = json.dumps(schema(), indent=2, ensure_ascii=False)
    if output is None:
        typer.echo(text)
        return
    written(output, text + "\n")
    typer.echo(f"wrote {output}", err=True)
