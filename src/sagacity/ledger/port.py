"""The ledger port: what every engine that keeps events and judges them must do.

Guarantees, for every adapter:

- `intake` accounts for every raw record: matched, unmatched, orphan, rejected and beyond add up to the records read.
- `judge` is a pure function of the events taken in and as-of: order of arrival, redeliveries, batches and restarts do not
  change it. It equals `sagacity.judge` on every case.
- Errors are `SagacityError`s that say how to mend them; no driver's error passes through.
- A ledger belongs to one thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from sagacity.workflow.verdict import FindingKind

__all__ = ["Account", "ExpectationCounts", "FindingRow", "Intake", "Progress", "Redelivered", "Rejected"]

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
