"""Deadlines from how long things take, and spans as people would state them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sagacity.workflow.durations import UNITS
from sagacity.workflow.instants import about

__all__ = ["Deadline", "about", "deadline", "inverted", "rounded", "timeout"]

_MARGIN = 1.25
_LEAST_DELAYS = 30
_GAP = 4
"""Sixteenths of a doubling: a stretch of a fifth between two spans in which (nearly) nothing lies tells usual from late."""

_SPARSE = 0.15
_USUAL = 200.0
"""A deadline further from the median than so many times is none that anybody would state."""

_BIN = 16


class Deadline(msgspec.Struct, frozen=True):
    """A deadline (microseconds), and what it was drawn from: how many delays, their median and 95th percentile, how many
    were longer, and whether a gap sets those apart."""

    within: int
    delays: int
    median: int
    most: int
    longer: int
    gap: bool


def deadline(bins: Mapping[int, tuple[int, int]], threshold: float) -> Deadline | None:
    """The deadline that a distribution of delays suggests; None where there are too few, or they have no usual length.

    `bins` maps sixteenths of a doubling to a count and the longest span in it (microseconds). Where the longest delays,
    no more of them than the threshold lets go, stand apart from the others by a gap, the deadline lies in the gap:
    beyond what is usual by a quarter. Else it lies a quarter beyond the longest; or, of a long thin tail, beyond all but
    a tenth of what the threshold lets go.
    """
    total = sum(n for n, _ in bins.values())
    if total < _LEAST_DELAYS:
        return None
    median, most = _quantile(bins, 0.5, total), _quantile(bins, 0.95, total)
    found = _gap(bins, total, 1 - threshold)
    if found is not None:
        low, high = found
        longer = sum(n for number, (n, _) in bins.items() if 2 ** (number / _BIN) >= high)
        within = rounded(low * _MARGIN, high / 1.02)
    else:
        longest = max(longest for _, longest in bins.values())
        nearly = _quantile(bins, 1 - (1 - threshold) / 10, total)
        within = rounded((longest if longest <= 4 * _quantile(bins, 0.99, total) else nearly) * _MARGIN)
        longer = sum(n for _, (n, span) in bins.items() if span > within)
    if within > _USUAL * max(median, UNITS["s"]) or within <= 0:
        return None
    return Deadline(within, total, median, most, longer, found is not None)


def inverted(first: Mapping[int, tuple[int, int]], second: Mapping[int, tuple[int, int]]) -> float:
    """How likely it is that what takes `second` takes longer than what takes `first`, if neither knew of the other."""
    total = sum(n for n, _ in first.values()) * sum(n for n, _ in second.values())
    longer = sum(
        n * m * (1.0 if b > a else 0.5 if b == a else 0.0) for a, (n, _) in first.items() for b, (m, _) in second.items()
    )
    return longer / total if total else 0.0


def _quantile(bins: Mapping[int, tuple[int, int]], share: float, total: int) -> int:
    seen = 0
    for number in sorted(bins):
        seen += bins[number][0]
        if seen >= share * total:
            return bins[number][1]
    return max(span for _, span in bins.values())


def _gap(bins: Mapping[int, tuple[int, int]], total: int, let_go: float) -> tuple[float, float] | None:
    """The widest stretch with next to nothing in it that leaves no more above it than may be let go: its ends."""
    numbers = sorted(bins)
    counts = [bins.get(number, (0, 0))[0] for number in range(numbers[0], numbers[-1] + 1)]
    above, beyond = 0, [0] * len(counts)
    for place in range(len(counts) - 1, -1, -1):
        beyond[place] = above
        above += counts[place]
    best: tuple[int, int, int] | None = None
    place = 0
    while place < len(counts):
        tail = beyond[place] + counts[place]
        if tail > let_go * total or tail == 0:
            place += 1
            continue
        sparse = _SPARSE * tail / (len(counts) - place)
        end = place
        while end < len(counts) and counts[end] <= sparse:
            end += 1
        if end < len(counts) and end - place >= _GAP and beyond[end - 1] >= 1 and (best is None or end - place > best[0]):
            best = (end - place, place, end)
        place = max(end, place + 1)
    if best is None:
        return None
    _, start, end = best
    first = numbers[0]
    below = max((bins[n][1] for n in numbers if n < start + first), default=1)
    return float(max(below, 1)), 2 ** ((end + first) / _BIN)


_STEPS = (
    *((n, "ms") for n in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *((n, "s") for n in (1, 2, 3, 5, 10, 15, 20, 30, 45)),
    *((n, "m") for n in (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 45, 50)),
    *((n, "h") for n in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 15, 18, 20, 24, 30, 36)),
    *(
        (n, "d")
        for n in (2, 2.5, 3, 4, 5, 6, 7, 8, 10, 12, 14, 18, 21, 25, 28, 30, 35, 40, 45, 50, 60, 75, 90, 100, 120, 150)
    ),
    *((n, "d") for n in (180, 200, 250, 300, 365, 400, 500, 600, 730, 1000, 1500, 2000, 3650)),
)
_ROUND = tuple(int(n * UNITS[unit]) for n, unit in _STEPS)


def rounded(span: float, below: float | None = None) -> int:
    """The shortest span that people would state and that is not shorter; where that is not `below`, the span as it is,
    or halfway to there."""
    found = next((each for each in _ROUND if each >= span), None)
    if found is not None and (below is None or found < below):
        return found
    if below is None:
        return int(-(-span // UNITS["d"]) * UNITS["d"])
    least = span / _MARGIN
    between = [each for each in _ROUND if least * 1.02 < each < below]
    if between:
        return min(between, key=lambda each: abs(each - span))
    middle = int(min(span, (least + below) / 2))
    unit = next((size for size in UNITS.values() if middle >= 10 * size), 1)
    return max(middle // unit * unit, int(least) + 1)


def timeout(lasting: Mapping[float, int]) -> int | None:
    """When a case that nothing has ended should have ended: beyond what the longest take, but for the odd straggler."""
    longest, usual = lasting[1.0], lasting[0.99]
    if longest <= 0:
        return None
    return rounded(_MARGIN * longest if longest <= 5 * usual else 2 * max(usual, 1))
