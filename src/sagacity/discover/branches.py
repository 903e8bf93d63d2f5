"""Why an optional event happens in one case and not in another: a small decision tree over captured attributes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from math import log2

import msgspec

from sagacity.discover.relations import Relations
from sagacity.ledger.mining import Column, Mining, Split, Test

__all__ = ["Branch", "Cut", "best_cut", "branches", "round_between"]

_DEEPEST = 2
_LEAST_GAIN = 0.3
"""Bits that a condition must tell of whether the event happens, as a share of what is to be told."""

_LEAST = 5
_OFTEN = 0.05
"""Of what happens in fewer cases than these it says nothing that it never happens in some of them."""

_MOST_VALUES = 6
_MOST_COLUMNS = 12


class Branch(msgspec.Struct, frozen=True):
    """Where all `tests` hold, the target happens (or, not `happens`, never does), in `pure` of `cases` sampled ones."""

    target: int
    tests: tuple[Test, ...]
    happens: bool
    cases: int
    pure: int


class Cut(msgspec.Struct, frozen=True):
    """A condition and its opposite, what it tells (bits a case), and of each side the cases without and with."""

    low: Test
    high: Test
    gain: float
    below: tuple[int, int]
    above: tuple[int, int]


def branches(mining: Mining, relations: Relations, target: int, columns: Sequence[Column]) -> list[Branch]:
    """The conditions, on attributes of events that come before it, under which an optional event surely happens or never."""
    chosen = [
        column
        for column in sorted(columns, key=lambda column: relations.place(column.type))
        if column.type in relations.mandatory
        and column.type != target
        and ((column.type, target) in relations.precedence or column.type in relations.begins)
    ]
    found = _grown(mining, relations, target, chosen[:_MOST_COLUMNS], ())
    explained = any(branch.happens for branch in found) or relations.number(target) >= _OFTEN * relations.cases
    return found if explained else []


def _grown(
    mining: Mining, relations: Relations, target: int, columns: Sequence[Column], given: tuple[Test, ...]
) -> list[Branch]:
    cuts = [cut for column in columns if (cut := _cut(mining, target, column, given)) is not None]
    if not cuts:
        return []
    best = max(cuts, key=lambda cut: cut.gain)
    without, with_ = (best.below[0] + best.above[0], best.below[1] + best.above[1])
    smaller = min(sum(best.below), sum(best.above))
    if best.gain < _LEAST_GAIN * _entropy(without, with_) or smaller < _LEAST:
        return []
    found: list[Branch] = []
    for test, (no, yes) in ((best.low, best.below), (best.high, best.above)):
        tests = _joined(given, test)
        pure = max(no, yes)
        if pure >= relations.threshold * (no + yes):
            found.append(Branch(target, tests, yes > no, no + yes, pure))
        elif len(given) + 1 < _DEEPEST:
            same = [column for column in columns if column.type == test.column.type]
            found += _grown(mining, relations, target, same, tests)
    return found


def _cut(mining: Mining, target: int, column: Column, given: tuple[Test, ...]) -> Cut | None:
    split = mining.split(target, column, given)
    if split is None:
        return None
    cut = best_cut(split)
    if cut is None or not split.ordered or cut.low.most is None:
        return cut
    near = _around(split, cut)
    finer = mining.split(target, column, (*given, near)) if near is not None else None
    return cut if finer is None else _refined(split, cut, finer)


def best_cut(split: Split) -> Cut | None:
    """The condition on one attribute that tells most of whether the event happens."""
    rows = split.rows if split.ordered else sorted(split.rows, key=lambda row: (row[3] / max(row[2] + row[3], 1), row[0]))
    totals = (sum(row[2] for row in rows), sum(row[3] for row in rows))
    if 0 in totals:
        return None
    best: tuple[float, int, tuple[int, int]] | None = None
    no = yes = 0
    for place, row in enumerate(rows[:-1], start=1):
        no, yes = no + row[2], yes + row[3]
        gain = _gain((no, yes), totals)
        if best is None or gain > best[0]:
            best = (gain, place, (no, yes))
    if best is None:
        return None
    gain, place, below = best
    above = (totals[0] - below[0], totals[1] - below[1])
    if split.ordered:
        bound = round_between(rows[place - 1][1], rows[place][0])
        return Cut(Test(split.column, most=bound), Test(split.column, least=bound), gain, below, above)
    low, high = tuple(sorted(row[0] for row in rows[:place])), tuple(sorted(row[0] for row in rows[place:]))
    if min(len(low), len(high)) > _MOST_VALUES:
        return None
    return Cut(Test(split.column, values=low), Test(split.column, values=high), gain, below, above)


def _around(split: Split, cut: Cut) -> Test | None:
    """The two ranges beside a cut, within which the true bound lies."""
    bound = Decimal(cut.low.most or "0")
    place = next((n for n, row in enumerate(split.rows) if Decimal(row[0]) > bound), None)
    if place is None or place == 0:
        return None
    below, above = split.rows[place - 1], split.rows[place]
    if below[0] == below[1] and above[0] == above[1]:
        return None
    least = split.rows[place - 2][1] if place > 1 else str(Decimal(below[0]) - 1)
    return Test(split.column, least=least, most=above[1])


def _refined(split: Split, cut: Cut, finer: Split) -> Cut:
    """The cut moved to where the finer ranges have fewest on the wrong side."""
    high_happens = cut.above[1] * sum(cut.below) > cut.below[1] * sum(cut.above)
    rows = finer.rows
    wrong = [sum(row[2] if high_happens else row[3] for row in rows)]  # all of them above the bound
    for row in rows:
        wrong.append(wrong[-1] + (row[3] - row[2] if high_happens else row[2] - row[3]))
    first = Decimal(rows[0][0])
    lower = [row for row in split.rows if Decimal(row[1]) < first]
    places = [n for n, each in enumerate(wrong[:-1]) if each <= min(wrong) + 1 and (n or lower)]
    if not places:
        return cut
    bounds = {n: round_between(rows[n - 1][1] if n else lower[-1][1], rows[n][0]) for n in places}
    place = min(places, key=lambda n: (_digits(bounds[n]), wrong[n]))
    bound = bounds[place]
    parts = [row for row in split.rows if Decimal(row[1]) < first] + list(rows[:place])
    below = (sum(row[2] for row in parts), sum(row[3] for row in parts))
    totals = (cut.below[0] + cut.above[0], cut.below[1] + cut.above[1])
    above = (totals[0] - below[0], totals[1] - below[1])
    return Cut(Test(split.column, most=bound), Test(split.column, least=bound), _gain(below, totals), below, above)


def round_between(low: str, high: str) -> str:
    """The roundest number from `low` up to, but not including, `high`, in plain digits."""
    try:
        least, most = Decimal(low), Decimal(high)
    except InvalidOperation:
        return low
    for power in range(12, -10, -1):
        step = Decimal(1).scaleb(power)
        for multiple in (step * 5, step):
            candidate = (least / multiple).to_integral_value(ROUND_CEILING) * multiple
            if least <= candidate < most:
                return f"{candidate.normalize():f}"
    return low


def _digits(number: str) -> int:
    """How many digits of a number say something: of 1000 one."""
    return len(number.replace(".", "").strip("-0"))


def _gain(below: tuple[int, int], totals: tuple[int, int]) -> float:
    above = (totals[0] - below[0], totals[1] - below[1])
    n = sum(totals)
    return _entropy(*totals) - (sum(below) * _entropy(*below) + sum(above) * _entropy(*above)) / n


def _entropy(no: int, yes: int) -> float:
    n = no + yes
    return -sum(part / n * log2(part / n) for part in (no, yes) if part) if n else 0.0


def _joined(given: tuple[Test, ...], test: Test) -> tuple[Test, ...]:
    """The tests with one more; bounds on one attribute become one test."""
    for place, held in enumerate(given):
        if held.column == test.column and held.values is None and test.values is None:
            least = test.least if test.least is not None else held.least
            most = test.most if test.most is not None else held.most
            return (*given[:place], Test(held.column, least=least, most=most), *given[place + 1 :])
    return (*given, test)
