"""A live ledger on a clock of the test's own: records are handed in, time passes, rounds are made, findings come and go."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from live_records import iso
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.ledger.live import Account, CaseFilter, CaseRow, FindingFilter, Judged, LiveFinding
from sagacity.reconcile.live import Live
from sagacity.reconcile.watermark import Patience
from sagacity.sources.stream import Batch, Part, Reach, ReachState
from sagacity.workflow.language.reader import loads

__all__ = ["ORDER", "SECOND", "START", "HandClock", "HandStream", "Story", "account_adds_up"]

SECOND = 1_000_000
START = 1_790_000_000_000_000
"""2026-09-21, the instant 0 of every story."""

ORDER = """\
workflow: order
keys: order
sources: {orders: {type: type, time: time, id: id, key: order}}
events:
  Placed: {capture: {amount: amount as decimal}}
  Paid: {capture: {amount: amount as decimal}, owner: payments}
  Shipped:
ends: [Shipped]
timeout: 1h
expect:
  Paid: {is: within 10s of Placed, name: paid in time}
"""
"""An order that is to be paid within ten seconds."""


class HandClock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> int:
        return self.at


class HandStream:
    """Gives what the test hands in; every part is in the state that the test says, `current` unless it says so."""

    def __init__(self) -> None:
        self.waiting: deque[Batch] = deque()
        self.states: dict[Part, ReachState] = {}
        self.given: dict[Part, int] = {}
        self.kept: list[Batch] = []
        self.started: dict[Part, int] = {}

    def hand(self, source: str, bodies: Sequence[bytes], part: str = "0") -> None:
        start = self.given.get((source, part), self.started.get((source, part), 0))
        end = start + len(bodies)
        self.given[source, part] = end
        self.states.setdefault((source, part), "current")
        self.waiting.append(Batch(source=source, part=part, bodies=bodies, positions=range(start, end), resume=end))

    def start(self, positions: Mapping[Part, int]) -> None:
        self.started = dict(positions)

    def poll(self, most: int, wait: float) -> list[Batch]:
        del most, wait
        found = list(self.waiting)
        self.waiting.clear()
        return found

    def durable(self, batches: Sequence[Batch]) -> None:
        self.kept += batches

    def reaches(self) -> list[Reach]:
        return [Reach(source=source, part=part, state=state) for (source, part), state in self.states.items()]

    def close(self) -> None:
        """Nothing is held."""


class Story:
    """A ledger in a folder, judged by a workflow. Instants are in seconds from the start, as are durations.

    `sources` are there from the beginning, and current. The allowed lateness is two seconds; a source is idle after half a
    second.
    """

    def __init__(self, folder: Path, text: str = ORDER, *, sources: Sequence[str] = ("orders",), by: str = "test") -> None:
        self.folder = folder
        self.clock = HandClock()
        self.text = text
        self._sources = tuple(sources)
        self._open()
        if text:
            self.adopt(text, by=by)

    def _open(self) -> None:
        self.ledger = DuckDBLiveLedger(self.folder, threads=1, memory="256MB")
        self.stream = HandStream()
        self.stream.states |= {(source, "0"): "current" for source in self._sources}
        patience = Patience(lateness=2 * SECOND, idle=SECOND // 2)
        self.live = Live(self.ledger, [self.stream], clock=self.clock, patience=patience)
        self.live.begin()

    def __enter__(self) -> Story:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.ledger.close()

    def restart(self) -> None:
        """What a new process does: the ledger is opened again, and read on."""
        self.ledger.close()
        self._open()

    def adopt(self, text: str, *, by: str = "test") -> None:
        self.ledger.adopt(loads(text), text, by=by, now=self.clock.now())

    def tell(
        self, type: str, order: str | None, at: float, *, source: str = "orders", part: str = "0", **fields: Any
    ) -> None:
        """An event that happened at an instant; its id is its type and order unless the test says otherwise."""
        record = {"type": type, "time": iso(START + round(at * SECOND)), "id": f"{type}-{order}", **fields}
        if order is not None:
            record["order"] = order
        self.hand(source, msgspec.json.encode(record), part=part)

    def hand(self, source: str, *bodies: bytes, part: str = "0") -> None:
        self.stream.hand(source, bodies, part)

    def round(self, at: float | None = None) -> Judged:
        """A round at an instant; without one, now."""
        if at is not None:
            self.clock.at = START + round(at * SECOND)
        return self.live.tick()

    @property
    def as_of(self) -> float | None:
        found = self.live.status().as_of
        return None if found is None else (found - START) / SECOND

    def findings(self, **which: Any) -> list[LiveFinding]:
        return list(self.ledger.findings(FindingFilter(**which), limit=500).items)

    def finding(self) -> LiveFinding:
        (found,) = self.findings()
        return found

    def life(self) -> list[str]:
        """The steps in the life of the only finding."""
        return [entry.what for entry in self.ledger.history(self.finding().id)]

    def case(self, case: str = "1", workflow: str = "order") -> CaseRow:
        found = self.ledger.case(workflow, case)
        assert found is not None
        return found

    def cases(self, **which: Any) -> list[str]:
        return sorted(row.case for row in self.ledger.cases(CaseFilter(**which), limit=500).items)

    def account(self, source: str = "orders") -> Account:
        (found,) = [account for account in self.ledger.accounts() if account.source == source]
        account_adds_up(found)
        return found

    def told(self, at: float | None = None) -> list[tuple[str, int]]:
        """The notices that wait: kind, and for how many findings."""
        now = self.clock.now() if at is None else START + round(at * SECOND)
        return [(notice.kind, notice.findings) for notice in self.ledger.notices(now)]


def account_adds_up(account: Account) -> None:
    parts = account.matched + account.redelivered + account.late + account.unmatched + account.orphan + account.rejected
    assert account.records == parts, account
