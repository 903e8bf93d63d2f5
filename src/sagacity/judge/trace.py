"""The trace of a case: which of its events are one, in what order they stand, when the case starts and ends."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import FOREVER, Event, Value

__all__ = ["Copies", "Place", "Position", "Trace", "later", "prepare"]

Position: TypeAlias = tuple[int, int]
Rank: TypeAlias = tuple[int, int, tuple[tuple[bool, Value], ...]]
"""What decides between copies of an event, and between events of one type at one position: time, seq, and the attributes
in the order of their names, absent values first."""


class Place(msgspec.Struct, frozen=True, eq=False):
    """An event as it stands in its trace. `name` is the event's id or, without one, made of its position.

    Places are compared as objects, since two events may be alike in everything and are still two.
    """

    event: Event
    type: str
    time: int
    position: Position
    name: str

    def value(self, attribute: str) -> Value:
        """A captured attribute, or the event's `time` or `id`; None where it is absent."""
        if attribute == "time":
            return self.time
        return self.event.id if attribute == "id" else self.event.attributes.get(attribute)

    def currency(self, attribute: str) -> str | None:
        """The currency of an amount; None where it is absent."""
        currency = self.event.attributes.get(f"{attribute}.currency")
        return None if currency is None else str(currency)


class Copies(msgspec.Struct, frozen=True):
    """An event that came more than once: the copy that is kept, and those that differ from it in time or attributes."""

    kept: Event
    differing: tuple[Event, ...]


class Trace(msgspec.Struct, frozen=True):
    """What a case is judged by.

    `events` are those of named types, in order; `by_type` holds the same by type. `positions` are those at which one of
    them stands, ascending. `copies` has an entry for each of them that came more than once; `redelivered` counts the
    further copies of all events.
    """

    events: Sequence[Place]
    by_type: Mapping[str, Sequence[Place]]
    unexpected: Sequence[Place]
    positions: Sequence[Position]
    copies: Sequence[Copies]
    redelivered: int
    start: int
    end: int
    as_of: int

    @property
    def ended(self) -> bool:
        """Whether the case has ended by as-of."""
        return self.end <= self.as_of

    def of(self, event_type: str) -> Sequence[Place]:
        """The events of a type, in order."""
        return self.by_type.get(event_type, ())


def later(time: int, by: int | None) -> int:
    """The instant that is `by` microseconds after `time`; the one that never comes where `by` is None."""
    return FOREVER if by is None else min(time + by, FOREVER)


def prepare(workflow: Workflow, events: Iterable[Event], as_of: int) -> Trace:
    """The trace of a case up to as-of. Raises ValueError where it has no event by then: such a case does not exist."""
    allowed = workflow.unexpected == "allow"
    seen = [event for event in events if event.time <= as_of and (event.type in workflow.events or not allowed)]
    if not seen:
        raise ValueError("the case has no event up to as-of, so there is nothing to judge")
    attributes = {event_type: _attributes(workflow, event_type) for event_type in workflow.events}

    def rank(event: Event) -> Rank:
        values = [event.attributes.get(name) for name in attributes.get(event.type, ())]
        return event.time, event.seq, tuple((value is not None, value) for value in values)

    alone = [event for event in seen if event.id is None]
    came: defaultdict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in seen:
        if event.id is not None:
            came[event.type, event.id].append(event)
    one_each = [sorted(copies, key=rank) for copies in came.values()]

    places = _places([*alone, *(copies[0] for copies in one_each)], rank)
    named = [place for place in places if place.type in workflow.events]
    start = min(event.time for event in seen)
    ending = [place.time for place in named if place.type in workflow.ends]
    return Trace(
        events=named,
        by_type={event_type: [place for place in named if place.type == event_type] for event_type in workflow.events},
        unexpected=[place for place in places if place.type not in workflow.events],
        positions=sorted({place.position for place in named}),
        copies=[_copies(copies, rank) for copies in one_each if len(copies) > 1 and copies[0].type in workflow.events],
        redelivered=sum(len(copies) - 1 for copies in one_each),
        start=start,
        end=min([later(start, workflow.timeout), *ending]),
        as_of=as_of,
    )


def _attributes(workflow: Workflow, event_type: str) -> list[str]:
    """The names of the attributes of an event type, those of currencies included, in their order."""
    captured = workflow.events[event_type].capture
    currencies = [f"{name}.currency" for name, capture in captured.items() if capture.currency is not None]
    return sorted([*captured, *currencies])


def _copies(copies: list[Event], rank: Callable[[Event], Rank]) -> Copies:
    kept, *others = copies
    return Copies(kept, tuple(other for other in others if _content(rank(other)) != _content(rank(kept))))


def _content(rank: Rank) -> tuple[object, ...]:
    time, _, attributes = rank
    return time, attributes


def _places(events: list[Event], rank: Callable[[Event], Rank]) -> list[Place]:
    """The events in their order, each with its name."""
    alike: Counter[tuple[str, Position]] = Counter()
    places = []
    for event in sorted(events, key=lambda event: (event.position, event.type, event.id or "", rank(event))):
        name = event.id
        if name is None:
            alike[event.type, event.position] += 1
            number = alike[event.type, event.position]
            name = f"{event.time}/{event.seq}" + (f"#{number}" if number > 1 else "")
        places.append(Place(event, event.type, event.time, event.position, name))
    return places
