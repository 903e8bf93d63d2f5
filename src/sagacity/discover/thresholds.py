"""What each threshold gives: how many rules, and how many cases stand against them."""

from __future__ import annotations

from collections.abc import Sequence

from sagacity.discover.order import Ordered, ordered
from sagacity.discover.proposal import ThresholdRow
from sagacity.discover.relations import Relations
from sagacity.ledger.mining import LogShape, PairCount, TypeCount

__all__ = ["THRESHOLDS", "rows_of"]

THRESHOLDS = (0.8, 0.9, 0.95, 0.98, 0.99, 1.0)


def rows_of(shape: LogShape, types: Sequence[TypeCount], pairs: Sequence[PairCount]) -> tuple[ThresholdRow, ...]:
    """The rules about number and order of events at each of the usual thresholds."""
    found = []
    for threshold in THRESHOLDS:
        relations = Relations(shape, types, pairs, threshold)
        order = ordered(relations)
        said = {*order.answers, *order.follows}
        between = len(said) + len(order.attends) + len(order.exclusive) + len(order.never_after)
        counted = len(relations.mandatory | relations.single | relations.counts.keys())
        found.append(ThresholdRow(threshold, counted + between, _breaches(relations, order)))
    return tuple(found)


def _breaches(relations: Relations, order: Ordered) -> int:
    """How often a counted case breaks one of the rules."""
    pairs = relations.pairs
    found = sum(relations.cases - relations.number(a) for a in relations.mandatory)
    found += sum(each.cases - each.times.get(1, 0) for a, each in relations.types.items() if a in relations.single)
    found += sum(_otherwise(relations, a, n) for a, n in relations.counts.items() if a not in relations.single)
    found += sum(relations.number(a) - pairs[a, b].answered for a, b in order.answers)
    found += sum(relations.number(b) - pairs[a, b].preceded for a, b in order.follows)
    found += sum(relations.number(a) - pairs[a, b].both for a, b in order.attends)
    found += sum(pairs[a, b].both - pairs[a, b].behind for b, a in order.never_after)
    return found + sum(pairs[each].both for each in order.exclusive if each in pairs)


def _otherwise(relations: Relations, a: int, n: int) -> int:
    """In how many cases a type that comes n times comes another number of times; where it need not come, more often."""
    times = relations.types[a].times
    return sum(cases for each, cases in times.items() if each > n or (each < n and a in relations.mandatory))
