"""What is printed while the demonstration runs live: what is planted, what is found, and what to try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from sagacity.cli.asking import screen
from sagacity.demo.traffic import LiveOrder
from sagacity.report.text import visible

__all__ = ["Teller", "suggestions"]

_COLOURS = {"planted": "yellow", "opened": "red", "opened again": "red", "resolved": "green"}


class Teller:
    """Prints a line for each thing that happens, with the seconds since the start."""

    def planted(self, at: int, order: LiveOrder) -> None:
        """A fault is being planted in an order."""
        assert order.answer is not None
        self._line(at, "planted", f"order {order.case}  {order.answer.story}")

    def found(self, at: int, finding: Mapping[str, Any], *, again: bool) -> None:
        """A finding is open, or resolved; `again` where it was told of before."""
        order = f"order {finding['case']}"
        if finding["state"] == "resolved":
            self._line(at, "resolved", f"{order}  {finding['expectation']}: it holds after all")
        else:
            kind = finding["kind"].replace("_", " ")
            self._line(at, "opened again" if again else "opened", f"{order}  {kind}: {finding['message']}")

    def _line(self, at: int, what: str, text: str) -> None:
        shown = f"{what:<9}"
        if screen()[1]:
            shown = typer.style(shown, fg=_COLOURS[what])
        typer.echo(f"{at / 1e6:6.1f} s  {shown}  {visible(text)}")


def suggestions(program: str, address: str) -> list[tuple[str, str]]:
    """Commands to try beside the running server, each with what it is for."""
    event = (
        '{"specversion": "1.0", "id": "mine-1", "source": "/me", "type": "shop.OrderPlaced", '
        '"time": "\'$(date -u +%FT%TZ)\'", '
        '"data": {"order": {"id": "mine"}, "total": {"value": "1.00", "currency": "USD"}, "items": 1}}'
    )
    return [
        (f"{program} case 123 --server {address}", "order 123, of $4.50: paid, never shipped"),
        (f"{program} findings --open --server {address}", "all that is wrong; --follow goes on"),
        (
            f"curl -H 'Content-Type: application/cloudevents+json' -d '{event}' {address}/ingest/orders",
            "an order of your own: nobody pays it, so there is a finding five seconds later",
        ),
    ]
