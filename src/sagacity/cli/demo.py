"""`sagacity demo`: orders with known faults, generated, checked, and found against planted."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sagacity.cli.asking import opened, screen, written
from sagacity.cli.showing.comparison import program_name, show

if TYPE_CHECKING:
    from sagacity.demo.answers import Comparison
    from sagacity.demo.writing import Logs

__all__ = ["command"]

_FEW, _PER_DAY, _PER_DAY_OF_MANY = 50_000, 250, 5_000


def command(
    orders: Annotated[int, typer.Option(min=100, help="How many orders to generate.")] = 5000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same orders.")] = 7,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("sagacity-demo"),
    faults: Annotated[float, typer.Option(min=0, max=1, help="The share of settled orders that get a fault.")] = 0.02,
    live: Annotated[bool, typer.Option("--live", help="Then show the same shop live, with a server and its pages.")] = False,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="How long orders are placed, live.")] = 25.0,
) -> None:
    """Generate a few weeks of orders with known faults, check them, and compare what is found with what was planted.

    Writes the logs of four systems, the workflow, the answers and an HTML report. Exits with 0 where exactly the planted
    faults are found, else with 1.

    With --live, a server is started afterwards, on a free port of this machine, and four systems hand their events in, with
    faults among them. What it finds is held against what was planted, too. On a terminal the server then stays up until
    Ctrl-C.

    \b
    Examples:
      sagacity demo
      sagacity demo --orders 200000 --out many-orders
      sagacity demo --faults 0.2 --seed 3
      sagacity demo --live --seconds 60
    """
    from sagacity.demo.orders import Plan
    from sagacity.demo.writing import write
    from sagacity.workflow.instants import iso

    plan = Plan(orders=orders, seed=seed, faults=faults, per_day=_PER_DAY if orders <= _FEW else _PER_DAY_OF_MANY)
    with _progress(f"writing {orders:,} orders") as progress:
        logs = write(plan, out, progress)
    days = -(-plan.orders // plan.per_day)
    typer.echo(
        f"{logs.orders:,} orders of {days} days, {logs.records:,} records in four systems' logs under {out / 'data'}, "
        f"{logs.faults:,} orders with a fault planted in them.\n"
    )
    as_of = iso(plan.as_of) or "end"
    comparison = _checked(logs, as_of, out / "report.html")
    show("Planted and found", comparison)
    _next(logs.workflow, as_of, out)
    equal = comparison.equal
    if live:
        equal &= _live(seconds, seed, out / "live")
    if not equal:
        raise typer.Exit(1)


def _checked(logs: Logs, as_of: str, html: Path) -> Comparison:
    """Checks the logs, prints and writes the report, and holds the findings against the answers."""
    from sagacity.demo.answers import compare, read
    from sagacity.report.html.page import render_html
    from sagacity.report.terminal import render

    with opened(logs.workflow, None, as_of, 0, None, None, False) as history:
        result = history.check()
        width, color = screen()
        said = render(result, width, color, workflow_path=str(logs.workflow), html_hint=False, program=program_name())
        typer.echo(said)
        written(html, render_html(result))
        return compare(read(logs.answers), ((each.case, each.expectation, each.kind) for each in result.findings))


def _next(workflow: Path, as_of: str, out: Path) -> None:
    program = program_name()
    given, instant = shlex.quote(str(workflow)), shlex.quote(as_of)
    typer.echo("\nWhat to try next")
    for text, what in (
        (f"{program} explain {given} --case 123 --as-of {instant}", "order 123, of $4.50: paid, never shipped"),
        (f"{program} show {given} > {shlex.quote(str(out / 'order.svg'))}", "the workflow as a picture"),
        (
            f"{program} check {given} --as-of {instant} --findings {shlex.quote(str(out / 'findings.csv'))}",
            "findings as a table",
        ),
    ):
        typer.echo(f"  {text}\n      {what}")
    typer.echo(f"  {out / 'report.html'}\n      the report, for a browser")


def _live(seconds: float, seed: int, folder: Path) -> bool:
    """The live half; whether what was found is what was planted. True where it cannot be shown for want of packages."""
    from sagacity.cli.extras import needed
    from sagacity.errors import UsageError

    try:
        needed("serve", "httpx", "litestar", "prometheus_client", "pyarrow", "structlog", "uvicorn")
    except UsageError as error:
        typer.echo(f"\nThe same shop live is left out: {error.message}.\n  To see it, too: {error.hint}")
        return True
    from sagacity.cli.showing.show import show_live

    return show_live(seconds, seed, folder)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[float], None]]:
    """A bar on standard error while something lasts, told the share that is done; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _share: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)
