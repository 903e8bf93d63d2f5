"""What a live ledger in memory keeps, and all that can be read from it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import msgspec

from sagacity.errors import LedgerError, UsageError
from sagacity.judge import Judge
from sagacity.ledger.live import (
    Account,
    CaseFilter,
    CaseRow,
    Counts,
    FindingFilter,
    HistoryEntry,
    Incident,
    LiveFinding,
    Notice,
    Page,
    PartState,
    PeriodCounts,
    Refusal,
    StoredEvent,
    StoredWorkflow,
)
from sagacity.sources.stream import Part
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import FOREVER

__all__ = ["MemoryReading"]

T = TypeVar("T")
_replace = msgspec.structs.replace


class MemoryReading:
    """The reading half of `MemoryLedger`; `failing` makes every reader fail."""

    def __init__(self) -> None:
        self.failing = False
        self._lock = threading.RLock()
        self._workflows: dict[str, tuple[StoredWorkflow, Workflow, Judge]] = {}
        self._events: dict[tuple[str, str], list[StoredEvent]] = {}
        self._rows: dict[tuple[str, str], CaseRow] = {}
        self._touched: set[tuple[str, str]] = set()
        self._findings: dict[str, LiveFinding] = {}
        self._history: dict[str, list[HistoryEntry]] = {}
        self._incidents: dict[str, Incident] = {}
        self._notices: dict[int, tuple[Notice, int | None]] = {}
        self._dead: list[tuple[Notice, str]] = []
        self._refusals: list[Refusal] = []
        self._parts: dict[Part, PartState] = {}
        self._accounts: dict[tuple[str, str], Counter[str]] = {}
        self._audits: list[tuple[int, str, str]] = []
        self._as_of: int | None = None

    def positions(self) -> dict[Part, int]:
        return {part: state.position for part, state in self._parts.items() if state.position is not None}

    def parts(self) -> list[PartState]:
        self._readable()
        with self._lock:
            return sorted(self._parts.values(), key=lambda part: (part.source, part.part))

    def horizons(self) -> Mapping[str, int]:
        return {}

    def as_of(self) -> int | None:
        return self._as_of

    def workflows(self) -> list[StoredWorkflow]:
        self._readable()
        with self._lock:
            return [stored for stored, _, _ in self._workflows.values()]

    def accounts(self) -> list[Account]:
        self._readable()
        kinds = ("matched", "redelivered", "late", "unmatched", "orphan", "rejected")
        with self._lock:
            return [
                Account(workflow=name, source=source, records=sum(tally.values()), **{kind: tally[kind] for kind in kinds})
                for (name, source), tally in sorted(self._accounts.items())
            ]

    def counts(self, workflow: str) -> Counts:
        self._readable()
        with self._lock:
            findings = [each for each in self._findings.values() if each.workflow == workflow]
            standing = [each for each in findings if each.state in ("open", "acknowledged")]
            stored = [event for key, events in self._events.items() if key[0] == workflow for event in events]
            return Counts(
                workflow=workflow,
                cases=Counter(row.status.value for row in self._rows.values() if row.workflow == workflow),
                findings=Counter(each.state for each in findings),
                by_owner=Counter(each.owner or "" for each in standing),
                by_expectation=Counter(each.expectation for each in standing),
                events=Counter(each.event.type for each in stored),
            )

    def by_period(self, workflow: str, origin: int, width: int, since: int) -> PeriodCounts:
        self._readable()
        with self._lock:
            rows = [row for row in self._rows.values() if row.workflow == workflow and row.first >= since]
            period = {row.case: (row.first - origin) // width for row in rows}
            decided = {row.case for row in rows if row.ended or row.due is None}
            violated: dict[str, Counter[int]] = {}
            for expectation, case in {
                (each.expectation, each.case)
                for each in self._findings.values()
                if each.workflow == workflow and each.state != "resolved" and each.case in decided
            }:
                violated.setdefault(expectation, Counter())[period[case]] += 1
            types: dict[str, Counter[int]] = {}
            repeated: dict[str, dict[int, tuple[int, int]]] = {}
            for (name, case), events in self._events.items():
                if name == workflow and case in decided:
                    place = period[case]
                    for kind, often in Counter(event.event.type for event in events).items():
                        types.setdefault(kind, Counter())[place] += 1
                        before = repeated.setdefault(kind, {}).get(place, (0, 0))
                        repeated[kind][place] = before[0] + often, before[1] + often * often
            return PeriodCounts(
                begun=Counter(period.values()),
                decided=Counter(period[case] for case in decided),
                violated=violated,
                types=types,
                repeated={
                    kind: counts
                    for kind, counts in repeated.items()
                    if sum(events for events, _ in counts.values()) > sum(types[kind].values())
                },
                until=self._as_of,
            )

    def case(self, workflow: str, case: str) -> CaseRow | None:
        self._readable()
        return self._rows.get((workflow, case))

    def cases(self, which: CaseFilter, *, cursor: str | None = None, limit: int = 50) -> Page[CaseRow]:
        self._readable()
        with self._lock:
            rows = [
                row
                for key, row in self._rows.items()
                if which.workflow in (None, row.workflow)
                and which.status in (None, row.status)
                and (which.text is None or self._mentions(key, which.text))
            ]
        return _page(rows, lambda row: f"{FOREVER - row.last:020d}/{row.workflow}/{row.case}", cursor, limit)

    def events(self, workflow: str, case: str) -> list[StoredEvent]:
        self._readable()
        with self._lock:
            return sorted(self._events.get((workflow, case), ()), key=lambda each: each.event.position)

    def finding(self, finding: str) -> LiveFinding | None:
        self._readable()
        return self._findings.get(finding)

    def findings(self, which: FindingFilter, *, cursor: str | None = None, limit: int = 50) -> Page[LiveFinding]:
        self._readable()
        with self._lock:
            found = [
                each
                for each in self._findings.values()
                if (not which.states or each.state in which.states)
                and all(
                    getattr(which, name) in (None, getattr(each, name))
                    for name in ("workflow", "owner", "severity", "kind", "expectation", "case", "incident")
                )
            ]
        return _page(found, lambda each: f"{FOREVER - each.opened:020d}/{each.id}", cursor, limit)

    def history(self, finding: str) -> list[HistoryEntry]:
        self._readable()
        return list(self._history.get(finding, ()))

    def incidents(self, *, cursor: str | None = None, limit: int = 50) -> Page[Incident]:
        self._readable()
        with self._lock:
            found = []
            for incident in self._incidents.values():
                members = [each for each in self._findings.values() if each.incident == incident.id]
                still = sum(each.state in ("open", "acknowledged") for each in members)
                found.append(_replace(incident, findings=len(members), open=still))
        return _page(found, lambda each: f"{FOREVER - each.last:020d}/{each.id}", cursor, limit)

    def notices(self, now: int, limit: int = 100) -> list[Notice]:
        self._readable()
        with self._lock:
            return [notice for notice, again in self._notices.values() if again is None or again <= now][:limit]

    def dead_letters(self, *, cursor: str | None = None, limit: int = 50) -> Page[tuple[Notice, str]]:
        self._readable()
        return _page(list(self._dead), lambda each: f"{each[0].number:020d}", cursor, limit)

    def refusals(self, *, cursor: str | None = None, limit: int = 50) -> Page[Refusal]:
        self._readable()
        return _page(list(self._refusals), lambda each: f"{FOREVER - each.arrived:020d}/{each.position}", cursor, limit)

    def audits(self, *, cursor: str | None = None, limit: int = 50) -> Page[tuple[int, str, str]]:
        self._readable()
        numbered = list(enumerate(self._audits))
        page = _page(numbered, lambda each: f"{10**9 - each[0]:010d}", cursor, limit)
        return Page(tuple(each for _, each in page.items), page.cursor)

    def _readable(self) -> None:
        if self.failing:
            raise LedgerError("the ledger cannot be read", hint="look at the disk")

    def _mentions(self, key: tuple[str, str], text: str) -> bool:
        for each in self._events[key]:
            values = [str(value) for value in each.event.attributes.values()]
            if text in (key[1], each.event.id, *values):
                return True
        return False


def _page(found: Iterable[T], rank: Callable[[T], str], cursor: str | None, limit: int) -> Page[T]:
    """Items by rank; the cursor is the rank of the last that was given, in hexadecimal."""
    after = None
    if cursor is not None:
        try:
            after = bytes.fromhex(cursor).decode()
        except ValueError:
            raise UsageError(f"'{cursor[:40]}' is not a cursor", hint="give the one that came with the last page") from None
    ranked = sorted(((rank(item), item) for item in found), key=lambda pair: pair[0])
    rest = [pair for pair in ranked if after is None or pair[0] > after]
    chosen = rest[:limit]
    more = chosen[-1][0].encode().hex() if len(rest) > limit else None
    return Page(tuple(item for _, item in chosen), more)
