"""Which facts are about the same event type.

What stands in events is the truth: each type that was seen is an event type of its own. Workflows and documents join one of
the same name; else one that is spelt alike but for case and marks (`order_placed`); else one of which the last part of the
name is spelt so (`com.example.OrderPlaced.v1`), where there is only one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sagacity.catalog.entry import Entry
from sagacity.catalog.fact import Fact, Kind
from sagacity.discover.fields import plain

__all__ = ["merged"]

_ORDER: tuple[Kind, ...] = ("events", "workflow", "asyncapi", "schema")
_VERSION = re.compile(r"[vV]?\d+")
_PART = re.compile(r"[./:#]")
_LEAST = 4


def merged(facts: Sequence[Fact]) -> tuple[Entry, ...]:
    """The event types, by name."""
    groups: list[list[Fact]] = []
    known: list[dict[str, set[int]]] = [{} for _ in _LEVELS]
    for fact in sorted(facts, key=lambda fact: _ORDER.index(fact.kind)):
        place = _place(fact, known)
        if place is None:
            place = len(groups)
            groups.append([])
        groups[place].append(fact)
        for name in fact.names:
            for level, spelt in enumerate(_LEVELS):
                known[level].setdefault(spelt(name), set()).add(place)
    entries = [_entry(group) for group in groups]
    return tuple(sorted(entries, key=lambda entry: (entry.name.lower(), entry.name)))


def _place(fact: Fact, known: list[dict[str, set[int]]]) -> int | None:
    """Where what it is about stands already."""
    levels = 1 if fact.kind == "events" else len(_LEVELS)
    for level in range(levels):
        for name in fact.names:
            spelt = _LEVELS[level](name)
            found = known[level].get(spelt, set()) if len(spelt) >= (_LEAST if level else 1) else set()
            if len(found) == 1:
                return next(iter(found))
    return None


def _entry(facts: list[Fact]) -> Entry:
    names = list(dict.fromkeys(name for fact in facts for name in fact.names))
    return Entry(names[0], tuple(names[1:]), tuple(facts))


def _tail(name: str) -> str:
    parts = [part for part in _PART.split(name) if part and not _VERSION.fullmatch(part)]
    return plain(parts[-1]) if parts else ""


_LEVELS: tuple[Callable[[str], str], ...] = (str, plain, _tail)
