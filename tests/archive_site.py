"""A ledger of orders that archives at once, for stories about its archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from live_records import iso
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.ledger.live import CaseFilter, FindingFilter, Outlook
from sagacity.sources.stream import Batch
from sagacity.workflow.language.reader import loads

__all__ = ["DAY", "ORDERS", "PAYMENTS", "SECOND", "Site", "files"]

SECOND = 1_000_000
DAY = 86_400 * SECOND

ORDERS = """
workflow: orders
keys: order
sources:
  bus: {type: type, time: at, id: id, key: order}
events:
  Placed: {source: bus}
  Paid: {source: bus, capture: {amount: amount as decimal}}
  Shipped: {source: bus}
ends: [Shipped]
timeout: 10d
expect:
  Paid: at least once, after Placed
  Shipped: once
"""

PAYMENTS = """
workflow: orders
keys: [order, payment, parcel]
sources:
  bus: {type: type, time: at, id: id, key: {order: order, payment: payment, parcel: parcel}}
events:
  Placed: {source: bus}
  Paid: {source: bus}
  Shipped: {source: bus}
ends: [Placed]
expect:
  Paid: once
"""


class Site:
    """A ledger in a folder, the clock of which is the tests'."""

    def __init__(self, folder: Path, text: str = ORDERS, *, after: int | None = 0, retain: int | None = None) -> None:
        self.folder = folder
        self.after = after
        self.retain = retain
        self.now = 20_000 * DAY
        self.position = 0
        self.open()
        self.ledger.adopt(loads(text), text, by="test", now=self.now)

    def open(self) -> None:
        self.ledger = DuckDBLiveLedger(self.folder, threads=1, memory="256MB", archive_after=self.after, retain=self.retain)

    def close(self) -> None:
        self.ledger.close()

    def change(self, text: str) -> None:
        self.ledger.adopt(loads(text), text, by="test", now=self.now)

    def send(self, type_: str, at: int, id_: str, **fields: Any) -> None:
        """Take an event in; `at` in days."""
        self.bodies([self.body(type_, at, id_, **fields)])

    def body(self, type_: str, at: int, id_: str, **fields: Any) -> bytes:
        """The record of an event."""
        body = {"type": type_, "at": iso(at * DAY), "id": id_, **{key: it for key, it in fields.items() if it is not None}}
        return msgspec.json.encode(body)

    def bodies(self, bodies: list[bytes]) -> None:
        start, self.position = self.position, self.position + len(bodies)
        self.now += SECOND
        self.ledger.append(
            [Batch(source="bus", part="0", bodies=bodies, positions=range(start, self.position), resume=self.position)],
            self.now,
        )

    def judge(self, at: int) -> None:
        self.now += SECOND
        while self.ledger.judge(Outlook(at * DAY), self.now).more:
            pass

    def upkeep(self) -> tuple[int, int]:
        self.now += SECOND
        released = self.ledger.upkeep(self.now)
        return released.archived, released.forgotten

    def complete(self, order: str, at: int = 100) -> None:
        """An order that is placed, paid and shipped within a day's time."""
        for place, type_ in enumerate(("Placed", "Paid", "Shipped")):
            self.send(type_, at + place, f"{order}-{place}", order=order)

    def archived(self, case: str) -> bool | None:
        row = self.ledger.case("orders", case)
        return None if row is None else row.archived

    def kinds(self, case: str) -> list[tuple[str, str]]:
        found = self.ledger.findings(FindingFilter(case=case)).items
        return sorted((each.kind, each.state) for each in found)

    def told(self, case: str) -> list[str]:
        """The ids of a case's events."""
        return [str(each.event.id) for each in self.ledger.events("orders", case)]

    def cases(self) -> dict[str, tuple[str, bool, int]]:
        rows = self.ledger.cases(CaseFilter(), limit=500).items
        return {row.case: (row.status.value, row.ended, row.events) for row in rows}


def files(site: Site) -> list[str]:
    folder = site.folder / "archive"
    return sorted(it.relative_to(folder).as_posix() for it in folder.glob("**/*") if it.is_file())
