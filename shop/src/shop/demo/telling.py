"""What is printed: a line for each thing that happens, with the seconds since the first customer came."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from shop.demo.audit import Audit
from shop.demo.crowd import Bought
from shop.demo.opening import WINDOW, Open
from shop.local.seen import resident

__all__ = ["Teller"]

_LISTED = 8
_WHEN = re.compile(r"^\s*[\d.]+ s\s+")
_BETWEEN = 10
"""So many purchases go by between two lines about them."""


class Teller:
    """`clock` tells the seconds since the first customer came."""

    def __init__(self, console: Console) -> None:
        self.clock: Callable[[], float] = lambda: 0.0
        self._console = console
        self._opened = False
        self._ended = self._good = 0

    def begins(self, folder: Path) -> None:
        self._say(
            "[bold]The shop is started[/]: nine services, Traefik, PostgreSQL, Kafka, six nodes of Redis, and Sagacity"
        )
        self._say(f"[dim]everything is under {escape(str(folder))}, and on 127.0.0.1 alone[/]\n")

    def server(self, line: str) -> None:
        """What the stack says of its parts, with the seconds since it was begun."""
        if self._opened:
            self._line("", "dim", f"[dim]{escape(_WHEN.sub('', line))}[/]")
        else:
            self._say(f"[dim]  {escape(line)}[/]")

    def open(self, shop: Open, took: float) -> None:
        memory = sum(resident([part.pid for part in shop.stack.state().parts if part.pid is not None]).values())
        self._opened = True
        self._say(f"\n[bold]Open after {took:.0f} s[/]; all of it takes {memory / 2**30:.1f} GB of memory")
        self._addresses(shop)

    def customers(self, many: int, seconds: float) -> None:
        self._say(f"\n[bold]{many} purchases in {seconds:.0f} seconds[/], each a saga over three services.")
        self._say("Some cannot be paid for, and are undone. What was paid must be shipped and checked within")
        self._say(f"{WINDOW.total_seconds():.0f} seconds. Now things go wrong:\n")

    def strike(self, title: str, meaning: str) -> None:
        self._line("strike", "yellow", f"[bold]{escape(title)}[/] [dim]({escape(meaning)})[/]")

    def found(self, state: str, findings: Sequence[Mapping[str, Any]]) -> None:
        """Sagacity has found something, or sees that it was mended: one expectation in one purchase or several."""
        first, more = findings[0], len(findings) - 1
        which = f"{first['case']} and {more} more" if more else first["case"]
        colour, text = (
            ("green", "holds after all") if state == "resolved" else ("red", f"{first['kind']}: {first['message']}")
        )
        self._line("resolved" if state == "resolved" else "found", colour, f"{which}  {escape(text)}")

    def bought(self, one: Bought) -> None:
        """Now and then, how purchases do."""
        self._ended += 1
        self._good += one.status == "SUCCESS"
        if self._ended % _BETWEEN == 0:
            self._line("", "dim", f"[dim]{self._ended} purchases have ended, {self._good} of them bought[/]")

    def settling(self) -> None:
        self._line("", "dim", "the last customer has left; the last deadlines are waited for")

    def audit(self, audit: Audit) -> None:
        """The closing table."""
        ends = ", ".join(f"{many} {status}" for status, many in sorted(Counter(audit.told.values()).items()))
        right = not audit.differing and not audit.unpaid
        self._say("\n[bold]The closing audit[/]\n")
        others = f"; {audit.others} more of yours" if audit.others else ""
        self._row(right, "purchases", f"{len(audit.told)} taken on, {len(audit.kept)} kept: {ends}{others}")
        for id in audit.differing[:_LISTED]:
            told, kept = audit.told.get(id, "nothing"), audit.kept.get(id, "nothing")
            self._say(f"      purchase {id}: its customer was told {told}, and {kept} is kept")
        for id in audit.unpaid[:_LISTED]:
            self._say(f"      purchase {id} was bought, and could not be paid for")
        self._row(audit.databases.equal, "databases", f"six, reconciled over {audit.rows} facts: {_agreement(audit)}")
        self._row(audit.findings.equal, "findings", "of Sagacity, live, against what went wrong:")
        for story, many in sorted(audit.by_fault.items()):
            self._say(f"               {many:>4}  {escape(story)}")
        for kind, (planted, found) in audit.findings.by_kind.items():
            self._row(planted == found, kind.replace("_", " "), f"planted {planted:>4}   found {found:>4}")
        for where in (audit.findings, audit.databases):
            for what, listed in (("found, not planted", where.unplanted), ("planted, not found", where.unfound)):
                for case, expectation, kind in listed[:_LISTED]:
                    self._say(f"      {what}: purchase {case}, {escape(expectation)}, {kind}")
        if audit.turned_back:
            self._say(
                f"  [yellow]![/] turned back though they could be paid for: {escape('; '.join(audit.turned_back[:_LISTED]))}"
            )
        again = "event came more than once, and was" if audit.redelivered == 1 else "events came more than once, and were"
        self._say(f"  [dim]{audit.redelivered} {again} counted once[/]")
        self._say(
            "\n[bold green]Every purchase is accounted for; every fault was found, and nothing else.[/]"
            if audit.good
            else "\n[bold red]Not everything is accounted for.[/]"
        )

    def stays(self, shop: Open) -> None:
        self._say("\nThe shop stays open. Ctrl-C closes it.")
        self._addresses(shop)

    def _addresses(self, shop: Open) -> None:
        self._say(f"  Sagacity, live    [bold]{shop.reconciler}/[/]    its sagas [bold]{shop.reconciler}/sagas[/]")
        self._say(f"  the shop          [bold]{shop.stack.web}/[/]    its API [bold]{shop.stack.web}/api/v1/products[/]")

    def _line(self, what: str, colour: str, text: str) -> None:
        self._say(f"{self.clock():6.1f} s  [{colour}]{what:<8}[/]  {text}")

    def _row(self, right: bool, name: str, text: str) -> None:
        mark = "[green]✓[/]" if right else "[red]✗[/]"
        self._say(f"  {mark} {name:<11} {escape(text)}")

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, highlight=False)


def _agreement(audit: Audit) -> str:
    missing = sum(planted for planted, _ in audit.databases.by_kind.values())
    if not audit.databases.equal:
        return "they do not agree"
    return f"they agree, but for the {missing} that were never shipped" if missing else "they agree"
