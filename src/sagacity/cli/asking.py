"""What the commands that read a history have in common: their options, the progress bar, the screen."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sagacity.ledger.port import Progress
    from sagacity.reconcile.history import History

__all__ = [
    "AS_OF", "FILE", "LENIENT", "MAX_REJECTED", "MEMORY", "SOURCE", "THREADS", "opened", "screen", "written",
]  # fmt: skip

FILE = Annotated[Path, typer.Argument(metavar="WORKFLOW", help="The workflow file.", show_default=False)]
SOURCE = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        "-s",
        metavar="NAME=PATH",
        help="Where a source's records are: a file, a folder, a glob, or - for standard input. Repeat it for each source; "
        "with one source its name may be left out.",
        show_default=False,
    ),
]
AS_OF = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="INSTANT",
        help="Judge as of this instant (2026-11-01T00:00Z), or `end` for a log that is known to be complete. "
        "Default: the latest event.",
        show_default=False,
    ),
]
MAX_REJECTED = Annotated[
    int, typer.Option("--max-rejected", min=0, metavar="N", help="Put up with this many unreadable records.")
]
LENIENT = Annotated[bool, typer.Option("--lenient", help="Put up with any number of unreadable records.")]
MEMORY = Annotated[
    str | None,
    typer.Option("--memory", metavar="SIZE", help="Memory for the ledger, such as 512MB; beyond it, disk. Default: 1GB."),
]
THREADS = Annotated[
    int | None, typer.Option("--threads", min=1, metavar="N", help="Processors to use. Default: all.", show_default=False)
]


@contextmanager
def opened(
    file: Path,
    source: list[str] | None,
    as_of: str | None,
    max_rejected: int | None,
    memory: str | None,
    threads: int | None,
    quiet: bool,
) -> Iterator[History]:
    """The history that the options name, with its sources taken in; a progress bar where a person watches."""
    from sagacity.reconcile.history import History
    from sagacity.sources.resolve import parse_source_options
    from sagacity.workflow.reader import load

    workflow = load(file)
    given = parse_source_options(source or [], workflow)
    with (
        _progress(quiet) as progress,
        History(
            workflow,
            given,
            base=file.parent,
            as_of=as_of,
            max_rejected=max_rejected,
            memory=memory,
            threads=threads,
            progress=progress,
        ) as history,
    ):
        yield history


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress | None]:
    """A bar on standard error while something lasts; nothing where that is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<24}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda what, share: bar.update(task, description=what, completed=share)


def screen() -> tuple[int, bool]:
    """The width of standard output in columns, and whether it shows colours."""
    width = shutil.get_terminal_size((100, 24)).columns
    return width, sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def written(path: Path, text: str) -> None:
    """Write a file, whole or not at all. Raises UsageError where it cannot be written."""
    from sagacity.errors import UsageError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", hint="name a file in a folder that exists") from None
