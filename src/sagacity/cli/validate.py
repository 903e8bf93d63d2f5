"""`sagacity validate`: what is wrong with workflow files, where, and how to mend it."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["command"]


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Workflow files.", show_default=False)],
    format: Annotated[_Format, typer.Option(help="How to print what was found.")] = _Format.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail, too.")] = False,
) -> None:
    """Say what is wrong with workflow files, and where.

    Prints each problem as file:line:column: severity: message, with a hint. Exits with 0 where there are no errors,
    else with 2.

    \b
    Examples:
      sagacity validate order.workflow.yaml
      sagacity validate workflows/*.yaml --strict
      sagacity validate order.workflow.yaml --format json
    """
    from sagacity.errors import WorkflowError
    from sagacity.workflow.language.reader import read, source_text
    from sagacity.workflow.problems import Problem

    found: list[tuple[Path, Problem]] = []
    for file in files:
        try:
            problems = read(source_text(file), str(file))[1]
        except WorkflowError as error:
            problems = error.problems
        found += [(file, problem) for problem in problems]
    failing = [problem for _, problem in found if strict or problem.severity == "error"]
    if format is _Format.JSON:
        _print_json(files, found, not failing)
    else:
        _print_text(files, [problem for _, problem in found])
    if failing:
        raise typer.Exit(2)


def _print_json(files: list[Path], found: list[tuple[Path, Any]], valid: bool) -> None:
    import json

    problems = [
        {
            "file": str(file),
            "line": problem.place.line if problem.place else None,
            "column": problem.place.column if problem.place else None,
            "severity": problem.severity,
            "path": problem.path,
            "message": problem.message,
            "hint": problem.hint,
        }
        for file, problem in found
    ]
    document = {"valid": valid, "files": [str(file) for file in files], "problems": problems}
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _print_text(files: list[Path], problems: list[Any]) -> None:
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for problem in problems:
        text = str(problem)
        if coloured:
            colour = "31" if problem.severity == "error" else "33"
            text = text.replace(f" {problem.severity}: ", f" \033[1;{colour}m{problem.severity}:\033[0m ", 1)
        typer.echo(text)
    typer.echo(f"{_counted(len(files), 'workflow file')}: {_summary(problems)}")


def _summary(problems: list[Any]) -> str:
    if not problems:
        return "nothing wrong"
    errors = sum(problem.severity == "error" for problem in problems)
    return f"{_counted(errors, 'error')}, {_counted(len(problems) - errors, 'warning')}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
