"""The demonstration live, from the start of its server to its end."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from importlib import resources
from pathlib import Path
from threading import Event

import typer

from sagacity.cli.remote import Remote
from sagacity.cli.showing.comparison import program_name, show
from sagacity.cli.showing.driving import Driver, Seen
from sagacity.cli.showing.serving import LOG, serving
from sagacity.cli.showing.telling import Teller, suggestions
from sagacity.demo.traffic import WORKFLOW, Pace
from sagacity.reconcile.clock import SystemClock

__all__ = ["show_live"]


def show_live(seconds: float, seed: int, folder: Path) -> bool:
    """Runs a server and traffic with faults; whether the server found exactly what was planted.

    Where standard output is a terminal, the server then stays up until Ctrl-C. Raises SagacityError where the server
    cannot be started or does not answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    workflow = folder / WORKFLOW
    workflow.write_text(resources.files("sagacity.demo").joinpath(WORKFLOW).read_text(encoding="utf-8"), encoding="utf-8")
    pace = Pace(seconds=seconds, seed=seed)
    stays = sys.stdout.isatty()
    typer.echo("\nThe same shop live\n")
    _end_with_the_terminal()
    with serving(workflow, folder) as address, Remote(address, None) as remote:
        typer.echo(f"Pages at {address}/    (its log: {folder / LOG})\n")
        if not stays:
            _suggest(address, "While it runs, try")
        typer.echo(
            f"{pace.orders:,} orders in {seconds:g} seconds: four systems hand their events in, some late, some twice.\n"
            "Deadlines are of five seconds, and two more are waited for late messages.\n"
        )
        sys.stdout.flush()
        seen = Driver(remote, pace, SystemClock(), Teller()).run()
        _tell(seen)
        if stays:
            _suggest(address, "What to try next")
            typer.echo(f"\nThe server stays up. Pages at {address}/; Ctrl-C stops it.")
            with suppress(KeyboardInterrupt):
                Event().wait()
            typer.echo("")
    return seen.equal


def _tell(seen: Seen) -> None:
    typer.echo("")
    show("Planted and found live", seen.findings, [("redelivered", seen.again, seen.redelivered)])
    by_status = ", ".join(f"{count:,} {status}" for status, count in sorted(seen.orders.items()) if count)
    typer.echo(f"Orders: {by_status}. Resolved: found missing, and mended by a message that came after all.")


def _suggest(address: str, title: str) -> None:
    typer.echo(f"\n{title}" if title.startswith("What") else title)
    for text, what in suggestions(program_name(), address):
        typer.echo(f"  {text}\n      {what}")
    if not title.startswith("What"):
        typer.echo("")


def _end_with_the_terminal() -> None:
    """Have the server stopped, too, when the terminal is closed."""
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.default_int_handler)
