"""What each kind of series is measured by, what of it matters, and how it is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import NamedTuple

from sagacity.discover.drift_parting import CHANCE, Counts, Course, Means
from sagacity.discover.drift_series import Bins, Period, Series, What
from sagacity.discover.writing import percent
from sagacity.workflow.durations import UNITS
from sagacity.workflow.instants import span

__all__ = ["KINDS", "QUANTILES", "SLOW", "Kind", "Said", "about", "quantile"]

_MATTERS = 0.01
_LONGER = 1.25
_FEW = 20
"""Cases on a side, at the least, for it to be compared."""

_NEW = 0.01
_HARDLY = 0.25
_STRAYS = 3
"""Cases that a new event type has come in, at the least, for it to be told."""

_SPREAD = 24.0
"""`CHANCE` of a distribution that is parted in five: as unlikely, with four degrees of freedom."""

QUANTILES = (0.5, 0.9, 0.95, 0.99)
SLOW = {
    0.9: "one in ten takes longer than",
    0.95: "one in twenty takes longer than",
    0.99: "one in a hundred takes longer than",
}

_STEADY = 1e-3
"""The least variance that is believed of how many events a case has."""

_LEAST_OF_RHYTHM = 2 * UNITS["w"]
"""Nights and weekends are no change: numbers of cases are compared by less than a week only where there are two of them."""

Side = Sequence[int]
"""The places of the periods of a stretch."""


class Said(NamedTuple):
    """The words of a change: while it lasts, when it is over, the former value (with its preposition; empty: nothing to
    say), and what ends the sentence. `quantile` is that of a delay which they are about."""

    now: str
    past: str
    then: str
    tail: str = ""
    quantile: float | None = None


class Kind(NamedTuple):
    """`course` is what a series' periods are compared by, with the places of those that are; `matters` whether two
    stretches differ enough; `said` words it, or says that it is nothing to tell. Each change must take away `chance`; there
    are `most` of them at most."""

    course: Callable[[Sequence[Period], Series], tuple[Course, list[int]]]
    matters: Callable[[Series, Side, Side], bool]
    said: Callable[[Series, Side, Side], Said | None]
    chance: float = CHANCE
    most: int = 4


def quantile(bins: Bins, share: float) -> int:
    """How long all but the longest of a distribution take, at most: microseconds; 0 where there is nothing."""
    wanted, seen = share * sum(n for n, _ in bins.values()), 0
    for number in sorted(bins):
        seen += bins[number][0]
        if seen >= wanted:
            return bins[number][1]
    return 0


def about(us: int) -> str:
    """A span to no more than people ask for."""
    unit = next((size for size in (60_000_000, 1_000_000, 1_000) if us >= 10 * size), 1)
    return span(us // unit * unit, 2)


# Shares --------------------------------------------------------------------------------------------------------------


def _shares(periods: Sequence[Period], series: Series) -> tuple[Course, list[int]]:
    del periods
    places = [place for place, of in enumerate(series.of) if of]
    rows = [(series.held[place], series.of[place] - series.held[place]) for place in places]
    return Counts(rows, [series.of[place] for place in places], weight=_FEW), places


def _of(series: Series, side: Side) -> tuple[int, int]:
    return sum(series.held[place] for place in side), sum(series.of[place] for place in side)


def _share(series: Series, side: Side) -> float:
    held, of = _of(series, side)
    return held / of if of else 0.0


def _shifts(series: Series, then: Side, now: Side) -> bool:
    return abs(_share(series, then) - _share(series, now)) >= _MATTERS


def _rule_said(series: Series, then: Side, now: Side) -> Said:
    tail = ""
    if series.accepted is not None:
        held, of = series.accepted
        tail = f" When it was accepted, it held in {percent(held, of)} of {of:,}."
    name, share, before = series.name, percent(*_of(series, now)), percent(*_of(series, then))
    if not series.concerned:
        return Said(
            f"{share} of the cases have no finding of {name}", f"{share} of the cases had no finding of {name}", before, tail
        )
    return Said(
        f"{name} holds in {share} of the cases that it concerns",
        f"{name} held in {share} of the cases that it concerned",
        f"in {before}",
        tail,
    )


def _type_said(series: Series, then: Side, now: Side) -> Said:
    share = percent(*_of(series, now))
    return Said(
        f"{series.name} occurs in {share} of the cases",
        f"{series.name} occurred in {share} of the cases",
        f"in {percent(*_of(series, then))}",
    )


def _appears(series: Series, then: Side, now: Side) -> bool:
    """Whether it comes where it never did; or what comes anyway does so otherwise."""
    counts = _of(series, then)[0], _of(series, now)[0]
    return max(counts) >= _STRAYS if not min(counts) else _shifts(series, then, now)


def _stray_said(series: Series, then: Side, now: Side) -> Said:
    if _of(series, then)[0] or not _of(series, now)[0]:
        return _type_said(series, then, now)
    share = percent(*_of(series, now))
    return Said(f"the event type {series.name} is new: in {share} of the cases",
                f"there was an event type {series.name}, in {share} of the cases", "")  # fmt: skip


def _emerges(series: Series, then: Side, now: Side) -> bool:
    less, more = sorted((_share(series, then), _share(series, now)))
    return more >= _NEW and less <= _HARDLY * more


def _way_said(series: Series, then: Side, now: Side) -> Said | None:
    """A way that is gone is told by the way that is gone instead."""
    if _share(series, now) < _share(series, then):
        return None
    share, before = percent(*_of(series, now)), _of(series, then)
    return Said(
        f"{share} of the cases go {series.name}",
        f"{share} of the cases went {series.name}",
        percent(*before) if before[0] else "none",
    )


# Delays --------------------------------------------------------------------------------------------------------------


def _merged(series: Series, side: Side) -> Bins:
    found: defaultdict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for place in side:
        for number, (n, longest) in series.bins[place].items():
            found[number] = found[number][0] + n, max(found[number][1], longest)
    return found


def _edges(bins: Bins) -> list[float]:
    """The bin in which each of `QUANTILES` lies."""
    total, seen, found = sum(n for n, _ in bins.values()), 0, [inf] * len(QUANTILES)
    for number in sorted(bins):
        seen += bins[number][0]
        for place, share in enumerate(QUANTILES):
            if found[place] == inf and seen >= share * total:
                found[place] = number
    return found


def _longer(bins: Bins, edge: float) -> int:
    return sum(n for number, (n, _) in bins.items() if number > edge)


def _spreads(periods: Sequence[Period], series: Series) -> tuple[Course, list[int]]:
    """How many delays lie between the quantiles of all of them."""
    del periods
    places = [place for place, of in enumerate(series.of) if of]
    edges = _edges(_merged(series, places))
    rows = []
    for place in places:
        beyond = [series.of[place], *(_longer(series.bins[place], edge) for edge in edges), 0]
        rows.append(tuple(more - less for more, less in pairwise(beyond)))
    return Counts(rows, [series.of[place] for place in places], weight=_FEW), places


def _moved(series: Series, then: Side, now: Side) -> float | None:
    """The first quantile that is another: by a quarter, and by more than chance."""
    before, after = _merged(series, then), _merged(series, now)
    total = sum(n for n, _ in before.values()), sum(n for n, _ in after.values())
    if not all(total):
        return None
    edges = _edges(_merged(series, range(len(series.of))))
    for share, edge in zip(QUANTILES, edges, strict=True):
        short, long = sorted((max(quantile(before, share), 1), max(quantile(after, share), 1)))
        beyond = _longer(before, edge), _longer(after, edge)
        course = Counts([(k, n - k) for k, n in zip(beyond, total, strict=True)], total)
        if long >= _LONGER * short and course.cost(0, 2) > CHANCE:
            return share
    return None


def _delay_said(series: Series, then: Side, now: Side) -> Said | None:
    share = _moved(series, then, now)
    if share is None:
        return None
    after, before = (about(quantile(_merged(series, side), share)) for side in (now, then))
    if share not in SLOW:
        return Said(f"{series.name} usually takes {after}", f"{series.name} usually took {after}", before, quantile=share)
    words = SLOW[share]
    past = words.replace("takes", "took")
    return Said(f"{series.name} {words} {after}", f"{series.name} {past} {after}", f"than {before}", quantile=share)


# Numbers -------------------------------------------------------------------------------------------------------------


def _volumes(periods: Sequence[Period], series: Series) -> tuple[Course, list[int]]:
    places = [place for place, period in enumerate(periods) if period.whole]
    width = min((b.start - a.start for a, b in pairwise(periods)), default=0)
    if width < UNITS["w"] and len(places) * width < _LEAST_OF_RHYTHM:
        places = []
    return Counts([(series.held[place],) for place in places], [1] * len(places), periods=2), places


def _mean(series: Series, side: Side) -> float:
    return sum(series.held[place] for place in side) / max(len(side), 1)


def _more(series: Series, then: Side, now: Side) -> bool:
    less, more = sorted((_mean(series, then), _mean(series, now)))
    return more >= _LONGER * max(less, 1.0)


def _volume_said(series: Series, then: Side, now: Side) -> Said:
    number = f"{_mean(series, now):,.0f}"
    return Said(
        f"about {number} cases begin in a period",
        f"about {number} cases began in a period",
        f"{_mean(series, then):,.0f}",
    )


def _times(periods: Sequence[Period], series: Series) -> tuple[Course, list[int]]:
    """How often an event comes in a case that has it. One case that has a hundred weighs no more than what it tells."""
    del periods
    places = [place for place, of in enumerate(series.of) if of]
    spare = sum(series.of[place] - 1 for place in places)
    within = sum(series.squares[place] - series.held[place] ** 2 / series.of[place] for place in places)
    variance = max(within / spare if spare > 0 else 0.0, _STEADY)
    return Means([series.held[place] for place in places], [series.of[place] for place in places], variance,
                 weight=_FEW), places  # fmt: skip


def _oftener(series: Series, then: Side, now: Side) -> bool:
    less, more = sorted((_share(series, then), _share(series, now)))
    return more >= _LONGER * less


def _times_said(series: Series, then: Side, now: Side) -> Said:
    number = f"{_share(series, now):.1f}"
    return Said(
        f"a case with {series.name} has it {number} times on average",
        f"a case with {series.name} had it {number} times on average",
        f"{_share(series, then):.1f}",
    )


KINDS: Mapping[What, Kind] = {
    "rule": Kind(_shares, _shifts, _rule_said),
    "delay": Kind(_spreads, lambda *given: _moved(*given) is not None, _delay_said, chance=_SPREAD),
    "type": Kind(_shares, _shifts, _type_said),
    "new type": Kind(_shares, _appears, _stray_said),
    "events": Kind(_times, _oftener, _times_said),
    "variant": Kind(_shares, _emerges, _way_said),
    "volume": Kind(_volumes, _more, _volume_said, most=2),
}
