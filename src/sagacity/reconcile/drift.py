"""How a workflow fares over time: each period's cases judged by the plan of `check`, and what changed between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sagacity.discover.drift import Drift, Period, Series, changes_of
from sagacity.discover.periods import MONDAY, width_of
from sagacity.errors import UsageError
from sagacity.ledger.duckdb.mining import DuckDBMining
from sagacity.ledger.mining import Mining
from sagacity.ledger.port import Progress
from sagacity.reconcile.instants import AsOf, as_of_instant, now
from sagacity.sources.gather import gather
from sagacity.sources.spool import Spool
from sagacity.workflow.language.reader import load
from sagacity.workflow.model import Implied, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Legs
from sagacity.workflow.words.naming import names

__all__ = ["drift"]

_MOST_PERIODS = 120
_STEPS = 12


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

    Types that the workflow does not name are looked at, too, whether or not it forbids them.
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
        return _Periods(mining, completed, open_to_all, found.as_of, width, progress).drift()
    finally:
        mining.close()
        spool.close()


class _Periods:
    def __init__(
        self,
        mining: Mining,
        workflow: Workflow,
        open_to_all: Workflow,
        as_of: int,
        width: int,
        progress: Progress | None,
    ) -> None:
        self.mining, self.workflow, self.as_of = mining, workflow, as_of
        self.open_to_all, self.width, self.progress = open_to_all, width, progress
        begun = mining.begun(MONDAY, width)
        if not begun:
            raise UsageError("the log holds no case", hint="do the workflow's sources and key fit it?")
        first, last = begun[0].period, begun[-1].period
        if last - first >= _MOST_PERIODS:
            raise UsageError(f"{last - first + 1:,} periods are too many to be compared", hint="choose a longer --by")
        self.numbers = range(first, last + 1)
        self.cases = {each.period: each.cases for each in begun}

    def drift(self) -> Drift:
        periods = tuple(Period(MONDAY + n * self.width, self.cases.get(n, 0)) for n in self.numbers)
        series = [*self._rules(), *self._delays(), *self._types(), *self._strays(), *self._ways(), self._volume()]
        return Drift(self.workflow.name, self.width, periods, tuple(series), changes_of(periods, series))

    def _rules(self) -> list[Series]:
        """Each expectation, as the plan judges the cases of each period."""
        called, audited = names(self.open_to_all), self.open_to_all.audited()
        held: list[list[int]] = [[] for _ in audited]
        of: list[list[int]] = [[] for _ in audited]
        ledger = self.mining.ledger
        ledger.workflow = self.open_to_all
        for done, number in enumerate(self.numbers):
            if self.progress is not None:
                self.progress("judging period by period", done / len(self.numbers))
            self.mining.only(number)
            ledger.judge(self.as_of)
            for x, each in enumerate(ledger.expectation_counts()):
                held[x].append(each.satisfied)
                of[x].append(each.satisfied + each.violated)
        self.mining.only(None)
        return [
            Series("rule", called[x], tuple(held[x]), tuple(of[x]), self._accepted(called[x]))
            for x, expectation in enumerate(audited)
            if not (isinstance(expectation, Implied) and expectation.rule == "unexpected")
        ]

    def _accepted(self, name: str) -> tuple[int, int] | None:
        found = self.workflow.accepted.get(name)
        return None if found is None else (found.held, found.of)

    def _delays(self) -> list[Series]:
        pairs = self._timed()
        found = []
        for each, (a, b) in zip(self.mining.pace([self._numbered(pair) for pair in pairs]), pairs, strict=True):
            of, medians = zip(*(each.by_period.get(n, (0, 0)) for n in self.numbers), strict=True)
            found.append(Series("delay", f"from {a} to {b}", tuple(medians), tuple(of)))
        return found

    def _timed(self) -> list[tuple[str, str]]:
        """The pairs of event types with a deadline between them."""
        pairs: dict[tuple[str, str], None] = {}
        for expectation in self.workflow.expectations:
            if isinstance(expectation, Rule) and expectation.within is not None and len(expectation.events) == 2:
                shape = TEMPLATES[expectation.template].shape
                if isinstance(shape, Legs) and not shape.legs[0].negated:
                    pairs[expectation.events[0], expectation.events[1]] = None
        return list(pairs)

    def _numbered(self, pair: tuple[str, str]) -> tuple[int, int]:
        called = list(self.workflow.events)
        return called.index(pair[0]), called.index(pair[1])

    def _types(self) -> list[Series]:
        counts = self.mining.types_by_period()
        return [
            Series("type", name, self._over({n: counts.get((number, n), 0) for n in self.numbers}), self._over(self.cases))
            for number, name in enumerate(self.workflow.events)
        ]

    def _strays(self) -> list[Series]:
        found: dict[str, dict[int, int]] = {}
        for (name, period), n in self.mining.strays().items():
            found.setdefault(name, {})[period] = n
        return [Series("new type", name, self._over(counts), self._over(self.cases)) for name, counts in found.items()]

    def _ways(self) -> list[Series]:
        called = list(self.workflow.events)
        return [
            Series("variant", _shortened([called[kind] for kind in types]), self._over(counts), self._over(self.cases))
            for types, counts in self.mining.ways_by_period()
        ]

    def _volume(self) -> Series:
        counts = self._over(self.cases)
        return Series("volume", "cases", counts, counts)

    def _over(self, counts: Mapping[int, int]) -> tuple[int, ...]:
        return tuple(counts.get(n, 0) for n in self.numbers)


def _shortened(steps: Sequence[str]) -> str:
    more = len(steps) - _STEPS
    return " → ".join(steps[:_STEPS]) + (f" → and {more} more" if more > 0 else "")
