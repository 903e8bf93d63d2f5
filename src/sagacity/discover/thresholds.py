"""What each threshold gives: how many rules, and how many cases stand against them."""

from __future__ import annotations

from collections.abc import Sequence

from sagacity.discover.order import ordered
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
        found.append(ThresholdRow(threshold, counted + between))
    return tuple(found)
