"""How a workflow fares over time: each period's cases judged by the plan of `check`, and what changed between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sagacity.discover.drift import Drift, Period, Series, changes_of
from sagacity.discover.drift_kinds import quantile
from sagacity.discover.periods import MONDAY, width_of
from sagacity.errors import UsageError
from sagacity.ledger.duckdb.mining import DuckDBMining
from sagacity.ledger.mining import Begun, Mining, Often
from sagacity.ledger.port import Progress
from sagacity.reconcile.instants import AsOf, as_of_instant, now
from sagacity.sources.gather import gather
from sagacity.sources.spool import Spool
from sagacity.workflow.instants import instant
from sagacity.workflow.language.reader import load
from sagacity.workflow.model import Implied, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Legs
from sagacity.workflow.words.meaning import stands
from sagacity.workflow.words.naming import names

__all__ = ["drift"]

_MOST_PERIODS = 120
_MOST_PAIRS = 24
_STEPS = 12
_NONE = Often(0, 0, 0)

_FAR = 3
"""Periods, at the least, that lie between cases whose times cannot be right and all others."""


def drift(
    workflow: Workflow | str | Path,
    sources: Mapping[str, Any] | None = None,
    *,
    by: str = "week",
    as_of: AsOf = None,
    max_rejected: int | None = 0,
    memory: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Drift:
    """How a workflow's cases fare, by the period in which they began. Parameters and errors are those of `History`.

    Types that the workflow does not name are looked at, too, whether or not it forbids them. Cases that began so late in
    the log that they may not be over are left aside, and so are the few whose times lie far from those of all others;
    `Drift.notes` says how many.
    """
    base = None if isinstance(workflow, Workflow) else Path(workflow).parent
    stated = workflow if isinstance(workflow, Workflow) else load(workflow)
    width = width_of(by)
    if width <= 0:
        raise UsageError(f"'{by}' is no period", hint="day, week, or a duration such as 30d")
    spool, mining = Spool(), DuckDBMining(memory=memory, threads=threads)
    try:
        completed, inputs = gather(stated, sources or {}, base=base, spool=spool)
        open_to_all = replace(completed, unexpected="forbid")
        bound = as_of_instant(as_of)
        found = mining.take_in(open_to_all, inputs, now=now(), until=bound, max_rejected=max_rejected, progress=progress)
        periods = _Periods(mining, completed, open_to_all, width)
        mining.ledger.judge(found.as_of, progress)
        return periods.drift()
    finally:
        mining.close()
        spool.close()


class _Periods:
    """Counts the cases of a log by period: once it has been taken in, which they are; once it is judged, all else."""

    def __init__(self, mining: Mining, workflow: Workflow, open_to_all: Workflow, width: int) -> None:
        self.mining, self.workflow, self.open_to_all, self.width = mining, workflow, open_to_all, width
        begun = mining.begun(MONDAY, width)
        if not begun:
            raise UsageError("the log holds no case", hint="do the workflow's sources and key fit it?")
        usual = _usual(begun)
        far = sum(each.cases for each in begun) - sum(each.cases for each in usual)
        self.since, self.until = usual[0].first, self._over(usual[0].first, far + _odd(begun))
        kept = mining.keep(usual[0].period, usual[-1].period, self.until)
        self.numbers = range(kept[0].period, kept[-1].period + 1)
        self.cases = {each.period: each.cases for each in kept}
        late = sum(each.cases for each in usual) - sum(self.cases.values())
        self.notes = self._aside(far, late)

    def drift(self) -> Drift:
        periods = tuple(map(self._period, self.numbers))
        types = self.mining.types_by_period()
        series = [*self._rules(), *self._delays(), *self._types(types), *self._strays(), *self._often(types)]
        series += [*self._ways(), self._volume()]
        return Drift(self.workflow.name, self.width, periods, tuple(series), changes_of(periods, series), self.notes)

    def _over(self, first: int, odd: int) -> int:
        """Who began up to this instant is over, but for one in a hundred; two thirds of the log at least. Where the log ends
        is not told by so many cases of which an event may lie far beyond."""
        lasting, end = self.mining.spans().lasting[0.99], self.mining.reached(odd)
        return max(end - min(lasting, (end - first) // 3), first)

    def _aside(self, far: int, late: int) -> tuple[str, ...]:
        notes = []
        if len(self.cases) < 2:
            notes.append("All cases began in one period: there is nothing to compare.")
        if far:
            notes.append(f"Left aside: {_cases(far)} whose time lies far from that of all others.")
        if late:
            day = instant(self.until)[:16]
            notes.append(f"Left aside: {_cases(late)} that began after {day}, too near the end of the log to be over.")
        return tuple(notes)

    def _period(self, number: int) -> Period:
        start = MONDAY + number * self.width
        return Period(start, self.cases.get(number, 0), self.since <= start and start + self.width <= self.until)

    def _rules(self) -> list[Series]:
        """Each expectation, as the plan judges the cases of each period."""
        counts = self.mining.held_by_period()
        found = []
        for x, (name, expectation) in enumerate(zip(names(self.open_to_all), self.open_to_all.audited(), strict=True)):
            if isinstance(expectation, Implied) and expectation.rule == "unexpected":
                continue
            of_x = counts.get(x, {})
            held, of = zip(*(of_x.get(n, (0, 0)) for n in self.numbers), strict=True)
            found.append(Series("rule", name, tuple(held), tuple(of), self._accepted(name)))
        return found

    def _accepted(self, name: str) -> tuple[int, int] | None:
        found = stands(self.workflow, name)
        return None if found is None else (found.held, found.of)

    def _delays(self) -> list[Series]:
        pairs = self._timed()
        found = []
        for each, (a, b) in zip(self.mining.pace([self._numbered(pair) for pair in pairs]), pairs, strict=True):
            bins = tuple(each.by_period.get(n, {}) for n in self.numbers)
            of = tuple(sum(n for n, _ in those.values()) for those in bins)
            held = tuple(quantile(those, 0.5) for those in bins)
            found.append(Series("delay", f"from {a} to {b}", held, of, bins=bins))
        return found

    def _timed(self) -> list[tuple[str, str]]:
        """The pairs of event types with a deadline between them, then those of which the order is stated."""
        timed: dict[tuple[str, str], None] = {}
        ordered: dict[tuple[str, str], None] = {}
        for expectation in self.workflow.expectations:
            if isinstance(expectation, Rule) and len(expectation.events) == 2:
                shape = TEMPLATES[expectation.template].shape
                if isinstance(shape, Legs) and not shape.legs[0].negated:
                    pair = expectation.events[0], expectation.events[1]
                    if expectation.within is not None:
                        timed[pair] = None
                    elif shape.legs[0].side != "either":
                        ordered[pair] = None
        return [*timed, *(pair for pair in ordered if pair not in timed)][: max(_MOST_PAIRS, len(timed))]

    def _numbered(self, pair: tuple[str, str]) -> tuple[int, int]:
        called = list(self.workflow.events)
        return called.index(pair[0]), called.index(pair[1])

    def _types(self, counts: Mapping[tuple[int, int], Often]) -> list[Series]:
        return [
            Series("type", name, tuple(counts.get((kind, n), _NONE).cases for n in self.numbers), self._over_all())
            for kind, name in enumerate(self.workflow.events)
        ]

    def _often(self, counts: Mapping[tuple[int, int], Often]) -> list[Series]:
        """How often a type comes in a case that has it, of those that come more than once in any."""
        found = []
        for kind, name in enumerate(self.workflow.events):
            often = [counts.get((kind, n), _NONE) for n in self.numbers]
            if any(each.events > each.cases for each in often):
                held, of = tuple(each.events for each in often), tuple(each.cases for each in often)
                found.append(Series("events", name, held, of, squares=tuple(each.squares for each in often)))
        return found

    def _strays(self) -> list[Series]:
        found: dict[str, dict[int, int]] = {}
        for (name, period), n in self.mining.strays().items():
            found.setdefault(name, {})[period] = n
        return [Series("new type", name, self._by_period(counts), self._over_all()) for name, counts in found.items()]

    def _ways(self) -> list[Series]:
        called = list(self.workflow.events)
        return [
            Series("variant", _shortened([called[kind] for kind in types]), self._by_period(counts), self._over_all())
            for types, counts in self.mining.ways_by_period()
        ]

    def _volume(self) -> Series:
        return Series("volume", "cases", self._over_all(), self._over_all())

    def _over_all(self) -> tuple[int, ...]:
        return self._by_period(self.cases)

    def _by_period(self, counts: Mapping[int, int]) -> tuple[int, ...]:
        return tuple(counts.get(n, 0) for n in self.numbers)


def _usual(begun: Sequence[Begun]) -> list[Begun]:
    """The periods without those at either end in which a few cases lie far from all others: a clock was wrong, a time was
    read wrongly. Raises UsageError where too many are left."""
    kept = list(begun)
    spare = _odd(kept)
    while len(kept) > 2:
        gaps = kept[1].period - kept[0].period, kept[-1].period - kept[-2].period
        end = 0 if gaps[0] >= gaps[1] else -1
        rest = kept[-1].period - kept[0].period - max(gaps)
        if kept[end].cases > spare or max(gaps) < _FAR or 2 * max(gaps) <= rest:
            break
        spare -= kept[end].cases
        del kept[end]
    if (number := kept[-1].period - kept[0].period + 1) > _MOST_PERIODS:
        raise UsageError(f"{number:,} periods are too many to be compared", hint="choose a longer --by")
    return kept


def _odd(begun: Sequence[Begun]) -> int:
    """Of how many cases the times may be wrong."""
    total = sum(each.cases for each in begun)
    return max(total // 1000, min(2, total // 20))


def _cases(n: int) -> str:
    return "1 case" if n == 1 else f"{n:,} cases"


def _shortened(steps: Sequence[str]) -> str:
    more = len(steps) - _STEPS
    return " → ".join(steps[:_STEPS]) + (f" → and {more} more" if more > 0 else "")
