"""The port for learning from history: what a ledger counts, so that `sagacity.discover` can choose what to propose.

All work over events is the ledger's, as queries; what comes back is counts, small whatever the size of the log. A
candidate's final evidence does not come from here: it is judged by the same plan as `sagacity check`, so that it is what
`check` would say.

Counts are of cases that are *settled*: begun so long before the end of the log that what was to happen has happened.
Times and spans are microseconds, instants since 1970-01-01T00:00Z. Types are numbered by their place in `Workflow.events`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

from sagacity.ledger.port import Intake, Ledger, Progress
from sagacity.sources.inputs import Input
from sagacity.workflow.model import Workflow

__all__ = [
    "Agreement", "Begun", "Beside", "Census", "Column", "Delay", "FieldSeen", "KeySeen", "Link", "LogShape", "Mining",
    "Often", "Pace", "PairCount", "Place", "Sample", "Shared", "Side", "Split", "Test", "TypeCount", "Variant",
]  # fmt: skip


class FieldSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A field of raw records, as a sample of them shows it.

    `path` is a record expression. `records` of the sample have it, in `distinct` values (about). `whole`, `numbers`,
    `instants`, `zoned` (instants that state their offset) and `booleans` count the values that read so; `scale` is the
    most digits after a decimal point, `longest` the length of the longest value. `top` is how many records share the
    most frequent value. `by_type` counts the records that have it by their type; empty before the type's field is known.
    """

    path: str
    records: int
    distinct: int
    whole: int
    numbers: int
    instants: int
    zoned: int
    booleans: int
    scale: int = 0
    longest: int = 0
    top: int = 0
    by_type: Mapping[str, int] = {}


class Sample(msgspec.Struct, frozen=True):
    """A source's fields, seen in a sample of its records."""

    records: int
    fields: tuple[FieldSeen, ...]


class KeySeen(msgspec.Struct, frozen=True):
    """A field as a correlation key: the events that carry it, in how many groups, of how many types a group has on average
    and the log has in all, and the size of the largest group."""

    path: str
    events: int
    groups: int
    types_a_group: float
    types: tuple[str, ...]
    largest: int


class Link(msgspec.Struct, frozen=True):
    """Two fields that events carry together: on how many, and the share of the second's values that stand with one value of
    the first alone."""

    first: str
    second: str
    events: int
    functional: float


class Shared(msgspec.Struct, frozen=True):
    """Two fields, by their places: how many values both have (of a sample of all values), and the share of the first's
    values that the second has."""

    first: int
    second: int
    values: int
    share: float


class Census(msgspec.Struct, frozen=True):
    """An event type in raw records: how many are of it, the first and last time of one (None where none reads as an
    instant), and the most frequent values of the field that names who makes them."""

    type: str
    events: int
    first: int | None
    last: int | None
    makers: tuple[str, ...]


class LogShape(msgspec.Struct, frozen=True):
    """The log as a whole: its cases, those that are settled and counted, its span, and how long cases last (quantiles by
    their share, over all cases)."""

    cases: int
    counted: int
    events: int
    first: int
    last: int
    lasting: Mapping[float, int]


class TypeCount(msgspec.Struct, frozen=True):
    """An event type in the counted cases: in `cases` of them, `events` in all; `times` counts cases by how often it
    occurs in them; it is first in `first` of them, and last in `last`. `place` is its mean place in a case, from 0
    (first) to 1."""

    type: int
    cases: int
    events: int
    times: Mapping[int, int]
    first: int
    last: int
    place: float


class PairCount(msgspec.Struct, frozen=True):
    """Two event types in the counted cases. `both`: cases that have both. Among them: in `preceded` each b has an earlier a,
    in `answered` each a has a later b, in `behind` no a comes strictly after a b. Concurrent events count as in either
    order."""

    a: int
    b: int
    both: int
    preceded: int
    answered: int
    behind: int


class Beside(msgspec.Struct, frozen=True):
    """Two event types side by side. `cases` have an a directly before a b, `times` in all; in `every_a` of them each a is
    directly followed by a b, in `every_b` each b directly preceded by an a."""

    a: int
    b: int
    cases: int
    times: int
    every_a: int
    every_b: int


class Variant(msgspec.Struct, frozen=True):
    """A way in which cases go: types in their order, each step a tuple of concurrent ones, and how many counted cases do."""

    steps: tuple[tuple[int, ...], ...]
    cases: int


Side: TypeAlias = Literal["after", "before"]


class Delay(msgspec.Struct, frozen=True):
    """How long it takes from an a to the nearest b after it (or from a b back to the nearest a before it).

    `bins` maps a bin to its count and its longest span; a bin is the whole part of 16 × log2 of the microseconds, -1 for
    none.
    """

    a: int
    b: int
    side: Side
    bins: Mapping[int, tuple[int, int]]


class Column(msgspec.Struct, frozen=True):
    """A captured attribute of an event type, read in a case as that of its first such event."""

    type: int
    attribute: str


class Place(msgspec.Struct, frozen=True):
    """How a captured attribute is spread over sampled cases: cases that have it, distinct values, the most frequent one's
    cases."""

    column: Column
    cases: int
    distinct: int
    top: int


class Agreement(msgspec.Struct, frozen=True):
    """Captured values that agree: `left` is the one on the right, or the sum of several; in `agree` of the `both`
    sampled cases that have them all. With `summed`, the right is the sum over all events of its type."""

    left: Column
    right: tuple[Column, ...]
    summed: bool
    both: int
    agree: int


class Test(msgspec.Struct, frozen=True):
    """A condition on a captured attribute: one of `values`, or with `least` (exclusive) and `most` (inclusive) bounds."""

    column: Column
    values: tuple[str, ...] | None = None
    least: str | None = None
    most: str | None = None


class Split(msgspec.Struct, frozen=True):
    """How often a type occurs by the values of an attribute: for each value, or range of values up to and including it and
    from `lowest` on, the cases without and with. `ordered` tells ranges of numbers from single values."""

    column: Column
    ordered: bool
    rows: tuple[tuple[str, str, int, int], ...]
    """`(lowest, highest, without, with)`, in order where ordered."""


class Begun(msgspec.Struct, frozen=True):
    """A period, numbered from an origin, the cases that began in it, and when the first and the last of them did."""

    period: int
    cases: int
    first: int
    last: int


class Often(msgspec.Struct, frozen=True):
    """How often an event type comes: in how many cases, how many events, and the sum of the squares of how many a case
    has."""

    cases: int
    events: int
    squares: int


class Pace(msgspec.Struct, frozen=True):
    """How long it takes from the first a of a case to the next b: by the period in which the case began, the bins of
    `Delay`."""

    a: int
    b: int
    by_period: Mapping[int, Mapping[int, tuple[int, int]]]


class Mining(Protocol):
    """A ledger that can be learnt from. Call `take_in` before what counts events, `settle` before what counts cases.

    Raises SourceError for what cannot be read, LedgerError. Belongs to one thread at a time.
    """

    @property
    def ledger(self) -> Ledger:
        """The ledger that keeps the events, which judges candidates."""
        ...

    def close(self) -> None: ...

    def fields(self, given: Input) -> tuple[str, ...]:
        """The paths of the fields of a source's records; of CSV and Parquet as their headers say."""
        ...

    def sample(self, source: str, given: Input, type_path: str | None) -> Sample:
        """The fields of a source's records; with `type_path` each field's records by type."""
        ...

    def unreadable(self, source: str, given: Input) -> int:
        """How many lines of JSON are no records; of other formats none, as they cannot be read at all then."""
        ...

    def types(self, source: str, given: Input, type_path: str) -> dict[str, int]:
        """Every value of the type's field, with how many records have it."""
        ...

    def census(self, source: str, given: Input, type_path: str, time_path: str, maker_path: str | None) -> list[Census]:
        """Every event type of a source, the most frequent first."""
        ...

    def keys(self, source: str, given: Input, type_path: str, paths: Sequence[str]) -> tuple[list[KeySeen], list[Link]]:
        """Fields as correlation keys, over all records, and which of them link."""
        ...

    def shared(self, fields: Sequence[tuple[str, Input, str]], one_in: int) -> list[Shared]:
        """Which fields, given as source, input and path, have values in common; of `one_in` so many values one is looked at,
        the same of all fields."""
        ...

    def take_in(
        self,
        workflow: Workflow,
        inputs: Mapping[str, Input],
        *,
        now: int,
        until: int | None,
        max_rejected: int | None,
        progress: Progress | None = None,
    ) -> Intake:
        """Take the events of a workflow without expectations in, those up to `until`. Parameters as of `Ledger.intake`."""
        ...

    def kept(self) -> frozenset[int]:
        """The types of which some event is in a case."""
        ...

    def spans(self) -> LogShape:
        """The log as a whole, with no case settled yet."""
        ...

    def reached(self, aside: int) -> int:
        """The instant of the last event, those of so many cases left aside whose events reach farthest."""
        ...

    def settle(self, before: int) -> LogShape:
        """Count cases that began up to an instant, and no others."""
        ...

    def type_counts(self) -> list[TypeCount]: ...

    def pair_counts(self) -> list[PairCount]: ...

    def beside(self) -> list[Beside]: ...

    def alternating(self, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, int]]:
        """For each pair, the cases with both in which each a has a b before the next a, and each b an a since the last b."""
        ...

    def violated(self, without: Sequence[int]) -> int:
        """How many of the judged cases have a finding, those of some expectations (by their place) left aside."""
        ...

    def variants(self, most: int) -> tuple[int, list[Variant]]:
        """How many ways cases go, and the most frequent of them."""
        ...

    def delays(self, pairs: Sequence[tuple[int, int, Side]]) -> list[Delay]: ...

    def values(self) -> list[Place]:
        """The captured attributes, over a sample of the counted cases."""
        ...

    def equal(self, pairs: Sequence[tuple[Column, Column]]) -> list[Agreement]: ...

    def sums(self, columns: Sequence[Column]) -> list[Agreement]:
        """Which numbers are the sum of two others, or of all of their type's, in at least half of the sampled cases."""
        ...

    def split(self, target: int, column: Column, given: Sequence[Test]) -> Split | None:
        """How a type's occurrence depends on an attribute, in the counted cases for which all of `given` holds."""
        ...

    def begun(self, origin: int, width: int) -> list[Begun]:
        """Part the cases by when they began: periods of a width, counted from an origin (microseconds)."""
        ...

    def keep(self, first: int, last: int, until: int) -> list[Begun]:
        """Of the cases that were parted, count those of the periods from `first` to `last` that began up to an instant, and
        no others: what follows is of them. After `begun`, as are the others."""
        ...

    def held_by_period(self) -> Mapping[int, Mapping[int, tuple[int, int]]]:
        """In how many cases of each period an expectation holds, of how many that it concerns and that are decided: by its
        place and the period. After `ledger.judge`."""
        ...

    def types_by_period(self) -> Mapping[tuple[int, int], Often]:
        """How often each type comes, each event once: by type and period."""
        ...

    def strays(self) -> Mapping[tuple[str, int], int]:
        """How many cases have each type that the workflow does not name, where it forbids them: by type and period."""
        ...

    def ways_by_period(self) -> list[tuple[tuple[int, ...], Mapping[int, int]]]:
        """The most frequent ways in which cases of the first half and of the last go, as types in order, with how many cases
        of each period do."""
        ...

    def pace(self, pairs: Sequence[tuple[int, int]]) -> list[Pace]: ...
