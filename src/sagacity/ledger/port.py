"""The ledger port: what every engine that keeps events and judges them must do.

Guarantees, for every adapter, to which the suite in `tests/conformance/test_ledger.py` holds each:

- **Events are in once.** `intake` accounts for every raw record: matched, unmatched, orphan, rejected and beyond add up to
  the records read. An identity that comes again is one event, whatever its copies say; how many there were is counted.
- **`judge` equals the reference.** On every case it says what `sagacity.judge` says of the case's events up to as-of: each
  verdict, each violation with its kind, instant and name, whether the case has ended. So it is a pure function of the set of
  events and as-of: order of arrival, redeliveries, batches and restarts do not change it, and it may be asked for again, as
  of another instant.
- **Counts add up.** Each expectation has a verdict on every case; activations are fulfilled, pending or found wanting; the
  findings that are counted are those that are listed, in an order that is the same on every engine, with the same ids.
- **Exactness.** Times are 64-bit integers of microseconds, decimals are decimals, texts compare by code points. What an
  engine cannot hold it refuses; it never rounds it, folds its case or cuts it short.
- **Nothing is left behind.** A ledger shares an engine with others without being seen by them, and without seeing them.
- **Errors** are `SagacityError`s that say how to mend them; no driver's error passes through, and no password.
- A ledger belongs to one thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec

from sagacity.sources.inputs import Input
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import Event
from sagacity.workflow.verdict import FindingKind

__all__ = ["TABLES", "Account", "ExpectationCounts", "FindingRow", "Intake", "Ledger", "Progress", "Redelivered", "Rejected"]

TABLES = (".parquet", ".csv", ".jsonl", ".ndjson")
"""How the name of a file may end that findings or cases are written to."""

Progress: TypeAlias = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, 0 to 1; may be called from any thread."""


class Rejected(msgspec.Struct, frozen=True):
    """A raw record that could not be read: where it stands (line or row, counted from 1; None where unknown), and why."""

    source: str
    file: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line is not None else self.file
        return f"{where}: {self.reason}"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a source's raw records.

    `records = matched + redelivered + unmatched + orphan + rejected + beyond`. A record is *matched* when it yields at
    least one event up to as-of, *beyond* when all its events are later, *unmatched* when it is of no type that the
    workflow names, *orphan* when it has no case key, *rejected* when it is unreadable. `events` counts the events that
    matched and redelivered records yield (a row of a table may yield several); `redelivered_events` those among them that
    are further copies. `redelivered` counts records, and is kept only where each record yields one event: elsewhere it
    is 0 and such records count as matched. `first` and `last` are the earliest and latest event times.
    """

    source: str
    given: str
    records: int
    matched: int
    unmatched: int
    orphan: int
    rejected: int
    beyond: int
    events: int
    redelivered: int = 0
    redelivered_events: int = 0
    first: int | None = None
    last: int | None = None


class Intake(msgspec.Struct, frozen=True):
    """The result of taking sources in: the accounts, the as-of instant, and the first of the rejected records.

    `unmatched_types` counts the types that the workflow does not name, most frequent first, at most 20.
    """

    as_of: int
    accounts: tuple[Account, ...]
    rejected: Sequence[Rejected] = ()
    unmatched_types: tuple[tuple[str, int], ...] = ()


class ExpectationCounts(msgspec.Struct, frozen=True):
    """One expectation over all cases: cases by verdict, activations by outcome, findings by kind."""

    satisfied: int
    vacuous: int
    pending: int
    violated: int
    activations: int
    fulfilled: int
    pending_activations: int
    findings: int
    kinds: Mapping[FindingKind, int]


class FindingRow(msgspec.Struct, frozen=True):
    """A finding as the ledger keeps it; `x` is the place of its expectation in `Workflow.audited`."""

    id: str
    case: str
    x: int
    kind: FindingKind
    since: int
    type: str | None
    time: int | None
    activation: str | None


class Redelivered(msgspec.Struct, frozen=True):
    """How many further copies of events of a type there are; `type` is None for types that the workflow does not name."""

    type: str | None
    events: int


class Ledger(Protocol):
    """One workflow's events and verdicts. First `intake`, then `judge`, then the rest; `events` and `similar_cases` need no
    verdicts. Times are microseconds since 1970-01-01T00:00Z.
    """

    workflow: Workflow

    def close(self) -> None:
        """Let go of memory and disk. May be called more than once."""
        ...

    def intake(
        self,
        inputs: Mapping[str, Input],
        *,
        as_of: int | None,
        now: int,
        max_rejected: int | None,
        progress: Progress | None = None,
    ) -> Intake:
        """Take the sources' raw records in as events, and account for each.

        `as_of` None stands for the latest event time that is not after `now`. More than `max_rejected` unreadable
        records stop the intake; None lets any number pass. Raises UsageError, SourceError, RejectedError, LedgerError.
        """
        ...

    def judge(self, as_of: int, progress: Progress | None = None) -> None:
        """Judge every case as of an instant, `FOREVER` for a complete log, and keep verdicts and findings."""
        ...

    def case_counts(self) -> dict[str, int]:
        """Cases by verdict: complete, open, violated."""
        ...

    def expectation_counts(self) -> list[ExpectationCounts]:
        """The counts of each audited expectation, in order."""
        ...

    def event_counts(self) -> dict[str, int]:
        """Judged events by type, each event once; unexpected ones are left out."""
        ...

    def redelivered(self) -> list[Redelivered]:
        """Further copies of events, by type."""
        ...

    def findings_over_time(self) -> tuple[int, list[tuple[int, FindingKind, int]]]:
        """The width of a period, and findings by period start and kind."""
        ...

    def delays(self) -> dict[int, dict[int, int]]:
        """For each timed expectation, by its place in `Workflow.audited`: counts by bin of its delays."""
        ...

    def finding_count(self) -> int:
        """How many findings there are."""
        ...

    def findings(self, limit: int | None = None) -> Iterator[FindingRow]:
        """Findings, worst severity first, then by since, case and expectation; the first `limit` of them."""
        ...

    def examples(self, each: int) -> list[FindingRow]:
        """The first findings of each expectation."""
        ...

    def worst_cases(self, n: int) -> list[str]:
        """The cases with the worst and most findings, worst first."""
        ...

    def events(self, cases: Sequence[str], *, examined: bool = False) -> dict[str, list[Event]]:
        """Every event of some cases, copies included; none for a case that is not there.

        `examined` promises that all of them have findings, which may save a search of the whole log.
        """
        ...

    def similar_cases(self, case: str, n: int) -> list[str]:
        """Case ids that look like one that is not there, nearest first."""
        ...

    def write_findings(self, path: Path) -> None:
        """Write every finding to a file whose name ends in one of `TABLES`. Raises UsageError, LedgerError."""
        ...

    def write_cases(self, path: Path) -> None:
        """Write every case with its verdict, as `write_findings` does."""
        ...
