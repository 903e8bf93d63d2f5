"""Where a series over periods becomes otherwise: as few stretches of one value each as explain it.

For each number of changes the best places are found by dynamic programming: those that leave the least deviance of the
periods from the values of their stretches. Changes are kept if they take away more than chance would, each: 16, the
square of four standard deviations, after the deviance has been divided by how much more than by chance the periods vary
by themselves. What varies so (from day to day, with neighbouring days alike) hides small changes, and is none itself.

Sources: McCullagh and Nelder, Generalized Linear Models, 1989, on deviance and over-dispersion; Jackson and others, An
algorithm for optimal partitioning of data on an interval, 2005; Newey and West, A simple, positive semi-definite,
heteroskedasticity and autocorrelation consistent covariance matrix, 1987, for the weights of neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from math import copysign, inf, log, sqrt
from typing import NamedTuple, Protocol

__all__ = ["CHANCE", "Counts", "Course", "Means", "Parting", "parted"]

CHANCE = 16.0
"""The deviance that each change must take away: the square of four standard deviations."""

_FARTHEST = 5
_SMALL = 4.0
"""How much wider what varies is thought to be where few periods tell of it: by this number over theirs."""


class Course(Protocol):
    """A series as values of periods, numbered from 0, each with how much it weighs."""

    def __len__(self) -> int: ...

    def cost(self, start: int, end: int) -> float:
        """The deviance of periods `start` to `end` (exclusive) from one value for all of them."""
        ...

    def signed(self, start: int, end: int) -> list[float]:
        """What each of them adds to it, as a square root with the sign of the difference."""
        ...

    def level(self, start: int, end: int) -> float:
        """Their common value, as one number that tells more from less."""
        ...

    def enough(self, start: int, end: int) -> bool:
        """Whether so much lies between that it can be a stretch."""
        ...


class Counts:
    """Counts by category (a share has two), out of `weights` of each period; with one category, a rate a unit of weight.
    A stretch has at least so much `weight`, and so many `periods`."""

    def __init__(
        self, rows: Sequence[tuple[int, ...]], weights: Sequence[int], *, weight: int = 0, periods: int = 1
    ) -> None:
        self._rows, self._given = rows, weights
        self._least, self._periods = weight, periods
        self._sums = [[0, *accumulate(row[place] for row in rows)] for place in range(len(rows[0]) if rows else 0)]
        self._weights = [0, *accumulate(weights)]
        own = (sum(_by_log(n, n / of) for n in row) for row, of in zip(rows, weights, strict=True))
        self._own = [0.0, *accumulate(own)]

    def __len__(self) -> int:
        return len(self._rows)

    def cost(self, start: int, end: int) -> float:
        weight = self._weights[end] - self._weights[start]
        together = 0.0
        for sums in self._sums:
            if n := sums[end] - sums[start]:
                together += n * log(n / weight)
        return max(2 * (self._own[end] - self._own[start] - together), 0.0)

    def signed(self, start: int, end: int) -> list[float]:
        weight = self._weights[end] - self._weights[start]
        shares = [(sums[end] - sums[start]) / weight for sums in self._sums]
        found = []
        for row, of in zip(self._rows[start:end], self._given[start:end], strict=True):
            apart = above = 0.0
            for place, (n, share) in enumerate(zip(row, shares, strict=True), 1):
                expected = of * share
                apart += (_by_log(n, n / expected) if expected else 0.0) - (n - expected)
                above += place * (n - expected)
            found.append(copysign(sqrt(max(2 * apart, 0.0)), above))
        return found

    def level(self, start: int, end: int) -> float:
        weight = self._weights[end] - self._weights[start]
        return sum(place * (sums[end] - sums[start]) for place, sums in enumerate(self._sums, 1)) / weight

    def enough(self, start: int, end: int) -> bool:
        return self._weights[end] - self._weights[start] >= self._least and end - start >= self._periods


class Means:
    """Means over `weights` units each, of which the single ones vary by `variance`. A stretch has at least so much
    `weight`."""

    def __init__(self, totals: Sequence[float], weights: Sequence[int], variance: float, *, weight: int = 0) -> None:
        self._totals, self._given, self._variance, self._least = totals, weights, variance, weight
        self._sums = [0.0, *accumulate(totals)]
        self._weights = [0, *accumulate(weights)]
        self._squares = [0.0, *accumulate(n * n / of for n, of in zip(totals, weights, strict=True))]

    def __len__(self) -> int:
        return len(self._totals)

    def cost(self, start: int, end: int) -> float:
        total, weight = self._sums[end] - self._sums[start], self._weights[end] - self._weights[start]
        return max(self._squares[end] - self._squares[start] - total * total / weight, 0.0) / self._variance

    def signed(self, start: int, end: int) -> list[float]:
        mean = self.level(start, end)
        return [
            (n / of - mean) * sqrt(of / self._variance)
            for n, of in zip(self._totals[start:end], self._given[start:end], strict=True)
        ]

    def level(self, start: int, end: int) -> float:
        return (self._sums[end] - self._sums[start]) / (self._weights[end] - self._weights[start])

    def enough(self, start: int, end: int) -> bool:
        return self._weights[end] - self._weights[start] >= self._least


class Parting(NamedTuple):
    """The stretches, as where each begins and the end of the last, and how much more than by chance periods vary by
    themselves (1: no more)."""

    bounds: tuple[int, ...]
    dispersion: float

    def stretches(self) -> list[tuple[int, int]]:
        return list(pairwise(self.bounds))


def parted(
    course: Course, most: int, matters: Callable[[tuple[int, int], tuple[int, int]], bool], chance: float = CHANCE
) -> Parting:
    """The stretches of a course, with at most so many changes; neighbours between which the difference does not matter are
    one. `chance` is what each change must take away."""
    best = Parting((0, len(course)), 1.0)
    if len(course) < 2 or course.cost(0, len(course)) <= chance:
        return best
    won = 0.0
    for bounds, cost in _best(course, most):
        dispersion = _dispersion(course, bounds)
        gained = (course.cost(0, len(course)) - cost) / dispersion - chance * (len(bounds) - 2)
        if gained > won:
            won, best = gained, Parting(bounds, dispersion)
    return _midway(course, _mattering(course, best, matters, chance))


def _best(course: Course, most: int) -> list[tuple[tuple[int, ...], float]]:
    """For one change, two, and so on up to `most`: the bounds that leave the least deviance, and how much."""
    size = len(course)
    single = {
        (start, end): course.cost(start, end)
        for start in range(size)
        for end in range(start + 1, size + 1)
        if course.enough(start, end)
    }
    costs = [single.get((0, end), inf) for end in range(size + 1)]
    found, ways = [], []
    for _ in range(most):
        following, way = [inf] * (size + 1), [0] * (size + 1)
        for (start, end), cost in single.items():
            if costs[start] + cost < following[end]:
                following[end], way[end] = costs[start] + cost, start
        costs = following
        ways.append(way)
        if costs[size] == inf:
            break
        bounds = [size]
        for step in reversed(ways):
            bounds.append(step[bounds[-1]])
        found.append(((0, *reversed(bounds)), costs[size]))
    return found


def _dispersion(course: Course, bounds: Sequence[int]) -> float:
    """How much more than by chance periods vary about the values of their stretches, and likewise their neighbours; 1 where
    that may be chance itself. A period in the midst of which it changed is of neither stretch, and does not count."""
    rest = [each for start, end in pairwise(bounds) for each in course.signed(start, end)]
    for place in reversed(bounds[1:-1]):
        del rest[max(place - 1, place, key=lambda each: abs(rest[each]))]
    spare, total = len(rest) - (len(bounds) - 1), sum(each * each for each in rest)
    if spare < 1 or total <= 0:
        return 1.0
    farthest = min(_FARTHEST, len(rest) // 6)
    alike = sum(
        (1 - lag / (farthest + 1)) * sum(a * b for a, b in zip(rest, rest[lag:], strict=False)) / total
        for lag in range(1, farthest + 1)
    )
    found = total / spare * max(1 + 2 * alike, 1.0)
    return max(found * (1 + _SMALL / spare if found > 1 + 2 * sqrt(2 / spare) else 1.0), 1.0)


def _mattering(
    course: Course, found: Parting, matters: Callable[[tuple[int, int], tuple[int, int]], bool], chance: float
) -> Parting:
    bounds = list(found.bounds)
    while len(bounds) > 2:
        weak = [
            (_gain(course, *bounds[place - 1 : place + 2]), place)
            for place in range(1, len(bounds) - 1)
            if not matters((bounds[place - 1], bounds[place]), (bounds[place], bounds[place + 1]))
            or _gain(course, *bounds[place - 1 : place + 2]) <= chance * found.dispersion
        ]
        if not weak:
            break
        del bounds[min(weak)[1]]
    return Parting(tuple(bounds), found.dispersion)


def _midway(course: Course, found: Parting) -> Parting:
    """What became otherwise in the midst of a period has it stand between before and after: it is of what comes after."""
    bounds = list(found.bounds)
    for place in range(len(bounds) - 3, 0, -1):
        before, start, end, after = bounds[place - 1 : place + 3]
        level = course.level(start, end)
        if end - start == 1 and (level - course.level(before, start)) * (course.level(end, after) - level) > 0:
            del bounds[place + 1]
    return Parting(tuple(bounds), found.dispersion)


def _gain(course: Course, start: int, place: int, end: int) -> float:
    return course.cost(start, end) - course.cost(start, place) - course.cost(place, end)


def _by_log(n: float, ratio: float) -> float:
    return n * log(ratio) if n else 0.0
