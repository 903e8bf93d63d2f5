"""Planted against found, as a table, and how this program is called in the commands that are suggested."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence

import typer

from sagacity.cli.asking import screen
from sagacity.demo.answers import Comparison

__all__ = ["program_name", "show"]

_LISTED = 10


def show(title: str, comparison: Comparison, more: Sequence[tuple[str, int, int]] = ()) -> None:
    """Prints how many findings of each kind were planted and found, then where they differ. `more` are further rows."""
    typer.echo(f"{title}\n")
    wrong = {kind for _, _, kind in (*comparison.unplanted, *comparison.unfound)}
    for kind, (planted, found) in comparison.by_kind.items():
        _row(kind, planted, found, kind not in wrong)
    for name, planted, found in more:
        _row(name, planted, found, planted == found)
    for what, findings in (("found, not planted", comparison.unplanted), ("planted, not found", comparison.unfound)):
        for case, expectation, kind in findings[:_LISTED]:
            typer.echo(f"    {what}: order {case}, {expectation}, {kind}")
    unplanted, unfound = len(comparison.unplanted), len(comparison.unfound)
    if not comparison.equal:
        typer.echo(f"\nThey differ: {unplanted:,} found that were not planted, {unfound:,} planted that were not found.")
    elif any(planted != found for _, planted, found in more):
        typer.echo("\nThey differ.")
    else:
        typer.echo("\nEvery fault was found, and nothing else.")


def _row(name: str, planted: int, found: int, right: bool) -> None:
    mark, colour = ("✓", "green") if right else ("✗", "red")
    shown = typer.style(mark, fg=colour) if screen()[1] else mark
    typer.echo(f"  {shown} {name.replace('_', ' '):<14} planted {planted:>6,}   found {found:>6,}")


def program_name() -> str:
    """How this program can be called again from here."""
    return "sagacity" if shutil.which("sagacity") else shlex.quote(sys.argv[0])
