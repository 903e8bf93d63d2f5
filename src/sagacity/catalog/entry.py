"""An event type with all that is known of it, and the catalogue of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

import msgspec

from sagacity.catalog.fact import Attribute, Fact, Kind, Seen

__all__ = ["Catalog", "Entry", "Gap", "GapKind", "Read"]

GapKind: TypeAlias = Literal[
    "never seen", "not declared", "in no workflow", "expected by nobody", "owned by nobody", "made by nobody",
    "keyed otherwise", "field not declared",
]  # fmt: skip


class Read(msgspec.Struct, frozen=True):
    """A document or log that was read: what kind it is, what it calls itself, and how many event types it tells of."""

    document: str
    kind: Kind
    title: str
    types: int


class Gap(msgspec.Struct, frozen=True):
    """Something amiss about an event type, in a plain sentence."""

    kind: GapKind
    name: str
    sentence: str


class Entry(msgspec.Struct, frozen=True):
    """An event type: its name, what else it is called, and what each document and log says of it."""

    name: str
    also: tuple[str, ...]
    facts: tuple[Fact, ...]

    @property
    def description(self) -> str | None:
        """What it means, as the first document that says so puts it."""
        return next((fact.description for fact in self.facts if fact.description), None)

    @property
    def sent_by(self) -> tuple[str, ...]:
        """Who makes it: applications by their documents, and what its events name as their source."""
        return self._each(lambda fact: fact.sent_by)

    @property
    def received_by(self) -> tuple[str, ...]:
        """Which applications receive it, by their documents."""
        return self._each(lambda fact: fact.received_by)

    @property
    def channels(self) -> tuple[str, ...]:
        return self._each(lambda fact: fact.channels)

    @property
    def owners(self) -> tuple[str, ...]:
        """Who answers for it."""
        return self._each(lambda fact: fact.owners)

    @property
    def keys(self) -> tuple[str, ...]:
        """The fields that correlate it: as workflows say; where none does, as documents do; else as its events suggest."""
        kinds: tuple[Kind, ...] = ("workflow", "asyncapi", "schema", "events")
        return next((found for kind in kinds if (found := self._each(lambda fact: fact.keys, kind))), ())

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The fields of its payload, as the first document that has any declares them."""
        return next((fact.attributes for fact in self.facts if fact.attributes), ())

    @property
    def expected_by(self) -> tuple[Fact, ...]:
        """The workflows of which some expectation is about it."""
        return tuple(fact for fact in self.facts if fact.rules)

    @property
    def seen(self) -> Seen | None:
        """Its events in all logs together; None where there are none."""
        found = [fact.seen for fact in self.facts if fact.seen is not None]
        if not found:
            return None
        first = [each.first for each in found if each.first is not None]
        last = [each.last for each in found if each.last is not None]
        return Seen(sum(each.events for each in found), min(first, default=None), max(last, default=None))

    def told_by(self, *kinds: Kind) -> tuple[str, ...]:
        """The documents of some kinds that tell of it."""
        return tuple(dict.fromkeys(fact.document for fact in self.facts if fact.kind in kinds))

    def _each(self, of: Callable[[Fact], Iterable[str]], kind: Kind | None = None) -> tuple[str, ...]:
        return tuple(dict.fromkeys(text for fact in self.facts if kind in (None, fact.kind) for text in of(fact)))


class Catalog(msgspec.Struct, frozen=True):
    """Every event type, by name; what is amiss; what was read, and `notes` about what of it could not be."""

    entries: tuple[Entry, ...]
    gaps: tuple[Gap, ...]
    read: tuple[Read, ...]
    notes: tuple[str, ...] = ()
