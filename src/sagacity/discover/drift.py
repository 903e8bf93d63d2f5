"""What has changed in how cases go, since when, in a plain sentence.

Series over periods are parted where the two sides differ most. A share is parted by its likelihood (the G statistic of a
binomial), a delay by how far the medians of the sides lie apart. What is told must be too much for chance, and enough to
matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt
from typing import Literal, TypeAlias

import msgspec

from sagacity.discover.writing import percent
from sagacity.workflow.instants import instant, span

__all__ = ["Change", "Drift", "Period", "Series", "What", "changes_of"]

What: TypeAlias = Literal["rule", "delay", "type", "new type", "variant", "volume"]

_CHANCE = 16.0
"""The G statistic, or the square of the deviations apart, beyond which a difference is told: four standard deviations."""

_MATTERS = 0.01
_LONGER = 1.25
_FEW = 20
"""Cases on a side, at the least, for it to be compared."""

_NEW = 0.01
_HARDLY = 0.25


class Period(msgspec.Struct, frozen=True):
    """A period by its start (microseconds), with the cases that began in it and are decided."""

    start: int
    cases: int


class Series(msgspec.Struct, frozen=True):
    """What was counted in each period: `held` of `of`; of delays, `held` is their median (microseconds). `accepted` is in
    how many of how many cases a rule held when it was accepted; `concerned` tells that `of` are the cases that it concerns,
    and not all."""

    what: What
    name: str
    held: tuple[int, ...]
    of: tuple[int, ...]
    accepted: tuple[int, int] | None = None
    concerned: bool = True


class Change(msgspec.Struct, frozen=True):
    """A change: what of, since the start of which period (microseconds), and the sentence that tells it."""

    what: What
    name: str
    since: int
    sentence: str


class Drift(msgspec.Struct, frozen=True):
    """How a workflow fared over periods of one width (microseconds), and what changed, the earliest change first."""

    workflow: str
    width: int
    periods: tuple[Period, ...]
    series: tuple[Series, ...]
    changes: tuple[Change, ...]


def changes_of(periods: Sequence[Period], series: Sequence[Series]) -> tuple[Change, ...]:
    """What changed, the earliest first."""
    found = [change for each in series if (change := _TELL[each.what](periods, each)) is not None]
    return tuple(sorted(found, key=lambda change: (change.since, change.what, change.name)))


def _rule(periods: Sequence[Period], series: Series) -> Change | None:
    words = "{name} holds in {now} of the cases that it concerns; before, in {then}."
    if not series.concerned:
        words = "{now} of the cases have no finding of {name}; before, {then}."
    if series.accepted is not None:
        held, of = series.accepted
        words += f" When it was accepted, it held in {percent(held, of)} of {of:,}."
    return _share(periods, series, words)


def _type(periods: Sequence[Period], series: Series) -> Change | None:
    return _share(periods, series, "{name} occurs in {now} of the cases; before, in {then}.")


def _share(periods: Sequence[Period], series: Series, words: str) -> Change | None:
    place = _parted(series)
    if place is None:
        return None
    then, now = (sum(series.held[:place]), sum(series.of[:place])), (sum(series.held[place:]), sum(series.of[place:]))
    if abs(then[0] / then[1] - now[0] / now[1]) < _MATTERS:
        return None
    said = words.format(name=series.name, now=percent(*now), then=percent(*then))
    return _told(periods, series, place, said)


def _parted(series: Series) -> int | None:
    """Where the shares before and after differ most, if by more than chance."""
    best: tuple[float, int] | None = None
    for place in range(1, len(series.of)):
        then = sum(series.held[:place]), sum(series.of[:place])
        now = sum(series.held[place:]), sum(series.of[place:])
        if min(then[1], now[1]) >= _FEW:
            g = _g(*then, *now)
            if best is None or g > best[0]:
                best = (g, place)
    return best[1] if best is not None and best[0] > _CHANCE else None


def _g(a: int, n: int, b: int, m: int) -> float:
    together = (a + b) / (n + m)
    return 2 * (_likelihood(a, n, a / n) + _likelihood(b, m, b / m) - _likelihood(a + b, n + m, together))


def _likelihood(k: int, n: int, p: float) -> float:
    return (k * log(p) if k else 0.0) + ((n - k) * log(1 - p) if n - k else 0.0)


def _delay(periods: Sequence[Period], series: Series) -> Change | None:
    """Medians on a logarithmic scale, weighted by how many delays each is of."""
    points = [(n, log(max(median, 1)), of) for n, (median, of) in enumerate(zip(series.held, series.of, strict=True)) if of]
    best: tuple[float, int, float, float] | None = None
    for place in range(1, len(points)):
        sides = points[:place], points[place:]
        weights = [sum(of for _, _, of in side) for side in sides]
        if min(weights) < _FEW:
            continue
        means = [sum(value * of for _, value, of in side) / weight for side, weight in zip(sides, weights, strict=True)]
        rest = sum(of * (value - mean) ** 2 for side, mean in zip(sides, means, strict=True) for _, value, of in side) / max(
            len(points) - 2, 1
        )
        apart = abs(means[1] - means[0]) / sqrt(max(rest, 1.0) * (1 / weights[0] + 1 / weights[1]))
        if best is None or apart > best[0]:
            best = (apart, points[place][0], means[0], means[1])
    if best is None or best[0] ** 2 <= _CHANCE or abs(best[3] - best[2]) < log(_LONGER):
        return None
    _, at, then, now = best
    said = f"{series.name} usually takes {_about(now)}; before, {_about(then)}."
    return _told(periods, series, at, said)


def _volume(periods: Sequence[Period], series: Series) -> Change | None:
    """Cases a period; what varies by itself from period to period is no change."""
    counts = list(series.held)
    best: tuple[float, int, float, float] | None = None
    for place in range(2, len(counts) - 1):
        then, now = counts[:place], counts[place:]
        means = sum(then) / len(then), sum(now) / len(now)
        rest = sum((n - means[0]) ** 2 for n in then) + sum((n - means[1]) ** 2 for n in now)
        deviation = sqrt(max(rest / max(len(counts) - 2, 1), *means, 1.0))
        apart = abs(means[1] - means[0]) / (deviation * sqrt(1 / len(then) + 1 / len(now)))
        if best is None or apart > best[0]:
            best = (apart, place, *means)
    if best is None or best[0] ** 2 <= _CHANCE or max(best[2:]) < _LONGER * max(min(best[2:]), 1.0):
        return None
    said = f"about {best[3]:,.0f} cases begin in a period; before, {best[2]:,.0f}."
    return _told(periods, series, best[1], said)


def _appeared(periods: Sequence[Period], series: Series) -> Change | None:
    """What nobody had seen in the first period."""
    first = next((place for place, n in enumerate(series.held) if n), None)
    if first is None or first == 0:
        return None
    cases, seen = sum(series.of[first:]), sum(series.held[first:])
    return _told(
        periods, series, first, f"the event type {series.name} is new: in {percent(seen, max(cases, seen))} of the cases."
    )


def _way(periods: Sequence[Period], series: Series) -> Change | None:
    """A way that a hundredth of the cases go, and before hardly any did."""
    place = _parted(series)
    if place is None:
        return None
    then, now = (sum(series.held[:place]), sum(series.of[:place])), (sum(series.held[place:]), sum(series.of[place:]))
    if now[0] < _NEW * now[1] or then[0] * now[1] > _HARDLY * now[0] * then[1]:
        return None
    before = f"; before, {percent(*then)}" if then[0] else ", and before none"
    return _told(periods, series, place, f"{percent(*now)} of the cases go {series.name}{before}.")


def _told(periods: Sequence[Period], series: Series, place: int, said: str) -> Change:
    since = periods[place].start
    return Change(series.what, series.name, since, f"Since {instant(since)[:10]}: {said}")


def _about(logarithm: float) -> str:
    us = int(2.718281828459045**logarithm)
    unit = next((size for size in (60_000_000, 1_000_000, 1_000) if us >= 10 * size), 1)
    return span(us // unit * unit, 2)


_TELL = {
    "rule": _rule, "delay": _delay, "type": _type, "new type": _appeared, "variant": _way, "volume": _volume,
}  # fmt: skip
