"""What the commands that read a history have in common: their options, the progress bar, the screen."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sagacity.ledger.port import Progress
    from sagacity.reconcile.history import History

__all__ = [
    "AS_OF", "ENGINE", "FILE", "LENIENT", "MAX_REJECTED", "MEMORY", "SOURCE", "THREADS", "opened", "promised", "screen",
    "watching", "written",
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

ENGINE = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="URL",
        help="What judges: postgresql://user@host/database, chdb: or spark:. Default: DuckDB, in this process.",
        show_default=False,
    ),
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
    engine: str | None = None,
) -> Iterator[History]:
    """The history that the options name, with its sources taken in; a progress bar where a person watches."""
    from sagacity.reconcile.history import History
    from sagacity.sources.resolve import parse_source_options
    from sagacity.workflow.language.reader import load

    workflow = load(file)
    given = parse_source_options(source or [], workflow)
    with (
        watching(quiet) as progress,
        History(
            workflow,
            given,
            base=file.parent,
            as_of=as_of,
            max_rejected=max_rejected,
            memory=memory,
            threads=threads,
            engine=engine,
            progress=progress,
        ) as history,
    ):
        yield history


@contextmanager
def watching(quiet: bool) -> Iterator[Progress | None]:
    """A bar on standard error while something lasts; nothing where that is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<24}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        # Never all of it: the bar's clock would stand still from the end of the first stage on.
        yield lambda what, share: bar.update(task, description=what, completed=min(share, 0.999))


def screen() -> tuple[int, bool]:
    """The width of standard output in columns, and whether it shows colours."""
    width = shutil.get_terminal_size((100, 24)).columns
    return width, sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def promised(tables: Iterable[Path | None], texts: Iterable[Path | None]) -> None:
    """Refuse at once what could not be written at the end of a long check. Raises UsageError.

    `tables` are told by their names how to be written; None stands for an output that was not asked for.
    """
    from sagacity.errors import UsageError
    from sagacity.ledger.port import TABLES

    asked = [path for path in tables if path is not None]
    for path in asked:
        if path.suffix.lower() not in TABLES:
            raise UsageError(
                f"cannot tell the format of {path} from its name", hint=f"end it with one of {', '.join(TABLES)}"
            )
    for path in (*asked, *(path for path in texts if path is not None)):
        if path.is_dir():
            raise UsageError(f"cannot write {path}: it is a folder", hint="name a file in it")
        if not path.parent.is_dir():
            raise UsageError(f"cannot write {path}: there is no folder {path.parent}", hint="make it first")


def written(path: Path, text: str) -> None:
    """Write a file. Raises UsageError where it cannot be written."""
    from sagacity.errors import UsageError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        hint = "name a file in a folder that exists" if isinstance(error, FileNotFoundError) else "name another file"
        raise UsageError(f"cannot write {path}: {error.strerror}", hint=hint) from None
