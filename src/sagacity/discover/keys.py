"""Candidate correlation keys: which field ties events together, over which event types, and which fields link."""

from __future__ import annotations

from collections.abc import Sequence, Set

import msgspec
from msgspec.structs import replace

from sagacity.discover.fields import Stated, last_step, plain
from sagacity.ledger.mining import FieldSeen, KeySeen, Link, Sample

__all__ = ["Elsewhere", "KeyCandidate", "Keys", "chosen", "keyish", "promising", "suggested", "telling", "together"]

_MOST = 12
_LARGEST = 0.1
"""A group that holds more of all events than this is no case."""

_WEAK = 0.05
_LONG = 9
_FUNCTIONAL = 0.9


class KeyCandidate(msgspec.Struct, frozen=True):
    """A field that could name cases: the share of the events that carry it, the event types that do and how many of all
    these are, its groups with how many events and types each has on average, and a score from 0 to 1."""

    path: str
    coverage: float
    types: tuple[str, ...]
    all_types: int
    groups: int
    events_a_group: float
    types_a_group: float
    score: float


class Elsewhere(msgspec.Struct, frozen=True):
    """A field of another source, or one that other events of the same have in its place, with so large a share of the values
    of a field."""

    path: str
    source: str
    other: str
    share: float


class Keys(msgspec.Struct, frozen=True):
    """Candidates, best first, and the pairs of them that link: events carry both, and each value of the second belongs
    to one of the first. `elsewhere` tells which fields have the same values, `unreadable` how many records
    could not be read."""

    candidates: tuple[KeyCandidate, ...]
    links: tuple[Link, ...]
    elsewhere: tuple[Elsewhere, ...] = ()
    unreadable: int = 0


def keyish(sample: Sample, stated: Stated) -> list[str]:
    """Fields of which values recur, and not too often, most promising first."""
    used = {stated.type, stated.time, stated.id}
    found = [field for field in sample.fields if field.path not in used and _could_be(field, sample)]
    found.sort(key=lambda field: (-field.records * (_named_like_a_key(field.path) + 1), field.path))
    return [field.path for field in found[:_MOST]]


def telling(sample: Sample, path: str) -> bool:
    """Whether it says something that two fields have values in common: small numbers are counted anew in every place."""
    field = next((each for each in sample.fields if each.path == path), None)
    return field is not None and not (field.whole == field.records and field.longest < _LONG)


def _could_be(field: FieldSeen, sample: Sample) -> bool:
    texts = field.instants < field.records / 2 or field.whole == field.records
    decimals = field.numbers == field.records and field.whole < field.records
    several = field.distinct > max(20, 0.002 * field.records) or (sample.records < 1000 and field.distinct > 2)
    return texts and not decimals and not field.booleans and several and field.longest <= 100


def _named_like_a_key(path: str) -> bool:
    return plain(last_step(path)).endswith(("id", "no", "number", "key", "ref", "case"))


def suggested(seen: Sequence[KeySeen], links: Sequence[Link], events: int, types: int) -> Keys:
    """The candidates, and which of them link, of what was counted over `events` of `types` event types."""
    found = []
    for each in seen:
        if each.groups < 2 or each.largest > max(_LARGEST * events, 20):
            continue
        coverage = each.events / max(events, 1)
        joined = 1 - 1 / max(each.types_a_group, 1.0)
        score = coverage * joined * (1.0 if _named_like_a_key(each.path) else 0.8)
        found.append(
            KeyCandidate(
                each.path, coverage, each.types, types, each.groups, each.events / each.groups, each.types_a_group, score
            )
        )
    found.sort(key=lambda each: (-each.score, each.path))
    known = {each.path: each for each in found}
    linked = [
        link
        for link in links
        if link.first in known and link.second in known and link.functional >= _FUNCTIONAL
        and _beyond(known[link.second], known[link.first])
    ]  # fmt: skip
    return Keys(tuple(found), tuple(linked))


def promising(keys: Keys, shared: Set[str] = frozenset()) -> Keys:
    """Without candidates that hardly tie anything together, and neither link nor share their values with others; `shared`
    are those of which others have the values."""
    used = shared | {link.second for link in keys.links} | {each.path for each in keys.elsewhere}
    return replace(keys, candidates=tuple(each for each in keys.candidates if each.score >= _WEAK or each.path in used))


def together(keys: Keys, source: str) -> list[str]:
    """The fields of one source that are one case's by their links and their values, the widest first; empty where no two
    are."""
    found = [each for link in keys.links[:1] for each in (link.first, link.second)]
    same = [each for each in keys.elsewhere if each.source == source]
    found = found or [path for each in same[:1] for path in (each.other, each.path)]
    for _ in same:  # what has the values of one that came in by its values comes in, too
        for each in same:
            if each.path in found and each.other not in found:
                found.insert(found.index(each.path), each.other)
            elif each.other in found and each.path not in found:
                found.append(each.path)
    return found


def _beyond(second: KeyCandidate, first: KeyCandidate) -> bool:
    """Whether the second key reaches events that the first does not."""
    return bool(set(second.types) - set(first.types)) and second.types_a_group > 1


def chosen(keys: Keys) -> str | None:
    """The one candidate that stands out; None where there is none, or two are about as good."""
    if not keys.candidates:
        return None
    best = keys.candidates[0]
    clear = len(keys.candidates) == 1 or keys.candidates[1].score < 0.7 * best.score
    return best.path if clear and best.score >= 0.3 else None
