"""Which facts are about the same event type.

What a document calls an event type first is what stands in events, so facts of one first name are about one event type.
Others meet, most alike first, where nothing else could be meant:

1. names that are spelt alike but for case and marks (`order_placed`);
2. a name that one other event type has as its second name, such as the name of a message whose type is another;
3. a name and the same with a version (`com.example.OrderPlaced.v1`);
4. a bare name and one that ends so (`com.example.OrderPlaced`): two names with dots are never taken for one by their ends.

Each type that was seen is an event type of its own, and so is each that one document tells of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from sagacity.catalog.entry import Entry
from sagacity.catalog.fact import Fact, Kind
from sagacity.discover.fields import plain

__all__ = ["merged"]

Group: TypeAlias = list[Fact]
Names: TypeAlias = Callable[[Group], set[str]]

_ORDER: tuple[Kind, ...] = ("events", "workflow", "asyncapi", "schema")
_VERSION = re.compile(r"[vV]?\d+")
_PART = re.compile(r"[./:#]")
_LEAST = 4


def merged(facts: Sequence[Fact]) -> tuple[Entry, ...]:
    """The event types, by name. The order of what is given decides nothing but the order of facts."""
    named: dict[str, Group] = {}
    for fact in sorted(facts, key=lambda fact: _ORDER.index(fact.kind)):
        named.setdefault(fact.names[0], []).append(fact)
    groups = _alike(list(named.values()))
    for level, (short, _) in enumerate(_LEVELS, start=1):
        groups = _met(groups, short, [long for _, long in _LEVELS[:level]])
    return tuple(sorted(map(_entry, groups), key=lambda entry: (entry.name.lower(), entry.name)))


def _alike(groups: Sequence[Group]) -> list[Group]:
    """Groups of names that are spelt alike as one; where several of them were seen, none joins any."""
    spelt: dict[str, list[Group]] = {}
    for group in groups:
        spelt.setdefault(plain(group[0].names[0]) or group[0].names[0], []).append(group)
    found: list[Group] = []
    for alike in spelt.values():
        seen = [group for group in alike if _seen(group)]
        if len(seen) > 1:
            found += seen
            alike = [group for group in alike if not _seen(group)]
        kept: list[Group] = []
        for group in alike:
            place = next((n for n, each in enumerate(kept) if _may_meet(each, group)), None)
            if place is None:
                kept.append(group)
            else:
                kept[place] = [*kept[place], *group]
        found += kept
    return found


def _met(groups: Sequence[Group], short: Names, long: Sequence[Names]) -> list[Group]:
    """Groups that meet by a name: the only one that has it as its short one, and the only one that has it as a long one."""
    shorts = _by_name(groups, short)
    longs = _by_name(groups, lambda group: set().union(*(names(group) for names in long)))
    into: dict[int, int] = {}
    for name, places in shorts.items():
        others = longs.get(name, [])
        if len(places) != 1 or len(others) != 1:
            continue
        (a,), (b,) = places, others
        if a != b and a not in into and b not in into and _may_meet(groups[a], groups[b]):
            into[a] = into[b] = min(a, b)
    found: dict[int, Group] = {}
    for number, group in enumerate(groups):
        found.setdefault(into.get(number, number), []).extend(group)
    return list(found.values())


def _by_name(groups: Sequence[Group], names: Names) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        for name in sorted(names(group)):
            found.setdefault(name, []).append(number)
    return found


def _may_meet(a: Group, b: Group) -> bool:
    """Whether not both were seen, and no document tells of both."""
    return not (_seen(a) and _seen(b)) and {each.document for each in a}.isdisjoint(each.document for each in b)


def _seen(group: Group) -> bool:
    return any(fact.kind == "events" for fact in group)


def _entry(facts: Group) -> Entry:
    facts = sorted(facts, key=lambda fact: _ORDER.index(fact.kind))
    names = list(dict.fromkeys(name for fact in facts for name in fact.names))
    return Entry(names[0], tuple(names[1:]), tuple(facts))


def _first(group: Group) -> set[str]:
    return {name for fact in group if (name := plain(fact.names[0]))}


def _second(group: Group) -> set[str]:
    return {plain(name) for fact in group for name in fact.names[1:]} - _first(group)


def _without_version(group: Group) -> set[str]:
    return _long(plain("".join(_parts(name))) for name in _versions(group, False))


def _but_for_version(group: Group) -> set[str]:
    return _long(plain("".join(_parts(name))) for name in _versions(group, True))


def _versions(group: Group, has: bool) -> set[str]:
    names = {fact.names[0] for fact in group}
    return {name for name in names if has == any(map(_VERSION.fullmatch, _PART.split(name)))}


def _bare(group: Group) -> set[str]:
    return _long(plain(parts[0]) for fact in group if len(parts := _parts(fact.names[0])) == 1)


def _tail(group: Group) -> set[str]:
    return _long(plain(parts[-1]) for fact in group if len(parts := _parts(fact.names[0])) > 1)


def _parts(name: str) -> list[str]:
    """The parts of a name, without its version."""
    return [part for part in _PART.split(name) if part and not _VERSION.fullmatch(part)]


def _long(names: Iterable[str]) -> set[str]:
    """Those that are long enough to mean something by themselves."""
    return {name for name in names if len(name) >= _LEAST}


_LEVELS: tuple[tuple[Names, Names], ...] = ((_first, _second), (_without_version, _but_for_version), (_bare, _tail))
