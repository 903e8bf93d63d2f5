"""The workflow: which event types there are, where each is found, and what is expected of a case.

Everything here is a frozen value. `sagacity.workflow.language.reader` makes a `Workflow` from YAML, `sagacity.expect` has a
constructor for each template; both yield the same values. Durations are integers in microseconds; an instant is an
integer in microseconds since 1970-01-01T00:00Z.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "Acceptance",
    "Assert",
    "Audited",
    "Capture",
    "Cardinality",
    "EventType",
    "Expectation",
    "Implied",
    "Matches",
    "Rule",
    "Severity",
    "Source",
    "ValueType",
    "Workflow",
]

Severity: TypeAlias = Literal["info", "warning", "error", "critical"]
Cardinality: TypeAlias = Literal["one_to_one", "one_to_many", "many_to_one"]

ValueType: TypeAlias = Literal["text", "integer", "decimal", "boolean", "time"]
"""Types of captured values. `integer` is 64-bit. `decimal` is exact, up to 18 digits of which 4 after the point unless
the capture states `digits` and `scale`. `time` is an instant in microseconds UTC."""


class Capture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An attribute of an event: an SQL expression over the raw record, with the type it is read as.

    `type` is None where the author did not state one: it is then `text`. `currency` is an expression over the raw
    record (or a quoted literal such as `'EUR'`); amounts of different currencies never compare as equal.
    """

    value: str
    type: ValueType | None = None
    currency: str | None = None
    digits: int = 18
    scale: int = 4


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somewhere events are found. Its expressions are defaults for the event types found there.

    `type` yields the record's event type; without it every event type of the source is tried on every record, so that
    one row of a table can hold several events. `keys` maps a correlation key's name to the expression that yields it;
    `seq` is the intrinsic position: an expression, `row` for the row of the log, or None (events of equal time are
    then concurrent). `timezone` (an IANA name) applies to times that carry no offset; such times are rejected where it
    is absent. `path` is a default location, relative to the workflow file, that a caller may override.

    For records that arrive live: `topics` names those of Kafka that bring them, by name or, beginning with `^`, by pattern;
    `redact` the paths (`sagacity.workflow.redaction`) whose values are never kept.
    """

    format: Literal["jsonl", "csv", "parquet", "xes", "table"] | None = None
    path: str | None = None
    type: str | None = None
    time: str | None = None
    id: str | None = None
    seq: str | None = None
    keys: Mapping[str, str] = {}
    timezone: str | None = None
    topics: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()


class EventType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event type: in which source it is found and how it is read from a raw record.

    What is None is taken from the source. `type` is the value of the source's type expression that marks this event,
    the event type's own name unless stated. `where` is an SQL condition on the raw record. An `id` is unique within its
    event type; without one every record is an event of its own and no redelivery can be recognised.
    """

    source: str
    type: str | None = None
    where: str | None = None
    time: str | None = None
    id: str | None = None
    seq: str | None = None
    keys: Mapping[str, str] | None = None
    capture: Mapping[str, Capture] = {}
    owner: str | None = None
    description: str | None = None


class _Common(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str | None = None
    severity: Severity = "error"
    owner: str | None = None
    description: str | None = None


class Rule(_Common, frozen=True, tag="rule", kw_only=True):
    """A Declare template over event types. `events` holds `(a,)` or `(a, b)`; `n` serves the counting templates.

    `when` is a condition on the activation (or, for templates without one, on the events counted); `where` a condition
    on the template's `a` and `b`, which may also be called by the names of their event types; `within` a window in
    microseconds after the activation, for precedence before it.
    """

    template: str
    events: tuple[str, ...]
    n: int = 1
    when: str | None = None
    where: str | None = None
    within: int | None = None


class Matches(_Common, frozen=True, tag="matches", kw_only=True):
    """Every `from_` event pairs with its own `to` event by the attributes `by` (of from, of to); none is left over.

    Where `amount` names an attribute of each, the sums of each pairing agree within `tolerance` (a decimal in text
    form). `within` bounds, in microseconds, the time from the first event of a pairing to its last.
    """

    from_: str
    to: str
    by: tuple[str, str]
    cardinality: Cardinality = "one_to_one"
    amount: tuple[str, str] | None = None
    tolerance: str = "0"
    within: int | None = None


class Assert(_Common, frozen=True, tag="assert", kw_only=True):
    """An SQL predicate over the case, true by the end of the case; with `immediate`, a safety rule, true at all times.

    An assert that takes a value of an event type which the case does not have is vacuous.
    """

    predicate: str
    immediate: bool = False


class Implied(_Common, frozen=True, tag="implied", kw_only=True):
    """What a workflow expects without a rule of its own.

    `begins`: the first event is of a type in the workflow's `begins`. `unexpected`: no event of an unnamed type, where
    the workflow forbids them. `identity`: the same event id never comes with different content.
    """

    rule: Literal["begins", "unexpected", "identity"]


Expectation: TypeAlias = Rule | Matches | Assert
Audited: TypeAlias = Rule | Matches | Assert | Implied


class Acceptance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an expectation that history suggested came from: it held in `held` of the `of` cases that it concerned, up to
    `until` (a day), in `log`; `by` accepted it on `date` (a day). `meaning` marks what it meant
    (`sagacity.workflow.words.meaning`)."""

    held: int
    of: int
    until: str | None = None
    log: str | None = None
    by: str | None = None
    date: str | None = None
    meaning: str | None = None


class Workflow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What should happen to a case. The first name in `keys` is the case id; further keys link to it.

    `begins`: the case's first event is one of these types. `ends`: an event of one of these ends the case; `timeout`
    (microseconds after the case's first event) ends it otherwise. `unexpected="forbid"`: an event of a type that the
    workflow does not name is a finding. `accepted` tells, by the name of an expectation, where it came from.
    """

    name: str
    version: str = "1"
    description: str | None = None
    owner: str | None = None
    keys: tuple[str, ...] = ("case",)
    sources: Mapping[str, Source] = {}
    events: Mapping[str, EventType]
    begins: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    timeout: int | None = None
    unexpected: Literal["allow", "forbid"] = "allow"
    expectations: tuple[Expectation, ...] = ()
    accepted: Mapping[str, Acceptance] = {}

    def audited(self) -> tuple[Audited, ...]:
        """All that a case is judged by: the expectations as declared, then those that the workflow implies."""
        implied = []
        if self.begins:
            implied.append(Implied(rule="begins", name=f"begins with {' or '.join(self.begins)}", owner=self.owner))
        if self.unexpected == "forbid":
            implied.append(Implied(rule="unexpected", name="no unexpected event", owner=self.owner))
        if any(self.id_of(name) is not None for name in self.events):
            implied.append(Implied(rule="identity", name="one content per event id", owner=self.owner))
        return (*self.expectations, *implied)

    def source_of(self, event_type: str) -> Source:
        """The source in which an event type is found; an empty one where the workflow says nothing about it."""
        return self.sources.get(self.events[event_type].source, Source())

    def id_of(self, event_type: str) -> str | None:
        """The expression that yields an event's id: the event type's own, else its source's, else None."""
        return self.events[event_type].id or self.source_of(event_type).id
