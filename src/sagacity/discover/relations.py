"""Which templates hold between event types at a threshold: the share of cases that they concern in which they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from sagacity.ledger.mining import LogShape, PairCount, TypeCount

__all__ = ["LEAST", "Pair", "Relations"]

Pair = tuple[int, int]

LEAST = 5
_SHARE = 0.01
_SURPRISE = 0.25
"""What is to be called exclusive must occur together less than a quarter as often as by chance."""

_MOST_BEGINNINGS = 4
_LAST = 0.97


class Relations:
    """What holds in a log, at a threshold (a share of cases). Event types go by their numbers.

    A relation needs `support`: so many cases that it concerns, a hundredth of all and at least five.
    """

    def __init__(self, shape: LogShape, types: Sequence[TypeCount], pairs: Sequence[PairCount], threshold: float) -> None:
        self.cases = max(shape.counted, 1)
        self.threshold = threshold
        self.support = max(LEAST, round(_SHARE * self.cases))
        self.types: Mapping[int, TypeCount] = {each.type: each for each in types}
        self.pairs: Mapping[Pair, PairCount] = {(each.a, each.b): each for each in pairs}

    @cached_property
    def usual(self) -> frozenset[int]:
        """Types that enough cases have for anything to be said of them."""
        return frozenset(a for a in self.types if self.number(a) >= min(self.support, self.cases))

    def number(self, a: int) -> int:
        """In how many cases a type occurs."""
        return self.types[a].cases

    def holds(self, held: int, of: int) -> bool:
        return of >= self.support and held >= self.threshold * of

    def place(self, a: int) -> tuple[float, int]:
        """What types are listed by: where in a case they stand."""
        return (self.types[a].place, a)

    # One type --------------------------------------------------------------------------------------------------------

    @cached_property
    def mandatory(self) -> frozenset[int]:
        """Types that (nearly) every case has, and that no other type stands in for where they are absent."""
        often = [a for a in self.types if self.number(a) >= self.threshold * self.cases]
        return frozenset(
            a for a in often if not any(self._stands_in(a, b) for pair in self.exclusive for b in pair if a in pair)
        )

    def _stands_in(self, a: int, b: int) -> bool:
        """Whether half of the cases without an a have a b."""
        absent = self.cases - self.number(a)
        return a != b and absent > 0 and self.number(b) - self._count(a, b).both >= absent / 2

    @cached_property
    def single(self) -> frozenset[int]:
        """Types that come once where they come."""
        return frozenset(a for a, each in self.types.items() if each.times.get(1, 0) >= self.threshold * each.cases)

    @cached_property
    def counts(self) -> Mapping[int, int]:
        """Types that come the same number of times, more than once, where they come."""
        found = {}
        for a, each in self.types.items():
            times, n = max(each.times.items(), key=lambda item: item[1])
            if times > 1 and self.holds(n, each.cases):
                found[a] = times
        return found

    def recurs(self, a: int) -> bool:
        """Whether a type comes several times often enough for it to be part of how cases go."""
        each = self.types[a]
        return sum(n for times, n in each.times.items() if times > 1) > max(1 - self.threshold, 0.05) * each.cases

    @cached_property
    def begins(self) -> tuple[int, ...]:
        """The types that cases begin with; empty where they begin with anything."""
        return self._ends([(each.first, each) for each in self.types.values()])

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """The types after which nothing comes, where cases end with these; else empty."""
        terminal = max(self.threshold, _LAST)
        return self._ends([(each.last, each) for each in self.types.values() if each.last >= terminal * each.cases])

    def _ends(self, found: Sequence[tuple[int, TypeCount]]) -> tuple[int, ...]:
        often = sorted(found, key=lambda each: (-each[0], each[1].type))
        chosen: list[int] = []
        covered = 0
        for n, each in often[:_MOST_BEGINNINGS]:
            if covered >= self.threshold * self.cases or n < 0.02 * self.cases:
                break
            covered += n
            chosen.append(each.type)
        return tuple(chosen) if covered >= self.threshold * self.cases else ()

    # Two types -------------------------------------------------------------------------------------------------------

    def _count(self, a: int, b: int) -> PairCount:
        return self.pairs.get((a, b)) or PairCount(a, b, 0, 0, 0, 0)

    @cached_property
    def precedence(self) -> frozenset[Pair]:
        """(a, b): each b has an earlier a."""
        return frozenset(p for p, n in self.pairs.items() if self.holds(n.preceded, self.number(p[1])) and not self._tied(n))

    @cached_property
    def response(self) -> frozenset[Pair]:
        """(a, b): each a has a later b."""
        return frozenset(p for p, n in self.pairs.items() if self.holds(n.answered, self.number(p[0])) and not self._tied(n))

    def _tied(self, n: PairCount) -> bool:
        """Whether the two are concurrent so often that there is no order between them."""
        back = self._count(n.b, n.a)
        return n.preceded >= self.threshold * n.both and back.preceded >= self.threshold * n.both

    @cached_property
    def attendance(self) -> frozenset[Pair]:
        """(a, b): where a occurs, b does."""
        return frozenset(p for p, n in self.pairs.items() if self.holds(n.both, self.number(p[0])))

    @cached_property
    def never_after(self) -> frozenset[Pair]:
        """(b, a): no a comes after a b, in cases that have both."""
        often = 2 * self.support  # that nothing speaks against an order says little of what hardly ever happens
        return frozenset(
            (n.b, n.a) for n in self.pairs.values() if n.both >= often and self.holds(n.behind, n.both) and not self._tied(n)
        )

    @cached_property
    def exclusive(self) -> frozenset[Pair]:
        """(a, b), a before b in the list of types: never both, though either is frequent enough that chance would have
        both.
        """
        found = set()
        for a in self.types:
            for b in self.types:
                if a >= b:
                    continue
                expected = self.number(a) * self.number(b) / self.cases
                both = self._count(a, b).both
                either = self.number(a) + self.number(b) - both
                least = max(LEAST, self.support / 4)
                if expected >= least and both <= min((1 - self.threshold) * either, _SURPRISE * expected):
                    found.add((a, b))
        return frozenset(found)

    @cached_property
    def exactly_one(self) -> frozenset[Pair]:
        """The exclusive pairs of which (nearly) every case has one."""
        return frozenset(
            (a, b)
            for a, b in self.exclusive
            if self.number(a) + self.number(b) - 2 * self._count(a, b).both >= self.threshold * self.cases
        )

    def parallel(self, a: int, b: int) -> bool:
        """Whether two types come in either order."""
        n, back = self._count(a, b), self._count(b, a)
        return n.both >= self.support and min(n.behind, back.behind) >= max(1 - self.threshold, 0.05) * n.both
