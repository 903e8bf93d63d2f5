"""How a live ledger's cases fare by the period in which they began, and what has changed."""

from __future__ import annotations

from collections.abc import Mapping

from sagacity.discover.drift import Drift, Period, Series, changes_of
from sagacity.ledger.live import PeriodCounts
from sagacity.workflow.model import Workflow
from sagacity.workflow.words.naming import names

__all__ = ["drift_of"]

_DECIDED = 0.9
"""A period of which fewer cases are decided says little yet: what goes well is decided sooner than what does not."""


def drift_of(workflow: Workflow, counts: PeriodCounts, origin: int, width: int) -> Drift:
    """What has changed, of the cases that nothing is waited for any more. Periods are left out while fewer than nine in ten
    of their cases are decided: at the end they are not shown, in between they count nothing. The first period may have
    begun before what is kept, and the last may not be over: their numbers of cases are not compared.

    Of each expectation it is counted in how many cases it has no finding: what it does not concern counts as well. So it is
    not held against how often it held when it was accepted, which is of the cases that it concerned. Cases that were
    archived before an expectation was in place do not count for it.
    """
    periods = _periods(counts)
    counted = {n: counts.decided.get(n, 0) if _says(counts, n) else 0 for n in periods}
    shown = tuple(Period(origin + n * width, counted[n], _whole(counts, origin, width, n)) for n in periods)
    of = tuple(counted.values())

    def over(found: Mapping[int, int]) -> tuple[int, ...]:
        return tuple(found.get(n, 0) if counted[n] else 0 for n in periods)

    series = []
    for name in names(workflow):
        judged = tuple(max(n - m, 0) for n, m in zip(of, over(counts.unjudged.get(name, {})), strict=True))
        broken = over(counts.violated.get(name, {}))
        held = tuple(max(n - violated, 0) for n, violated in zip(judged, broken, strict=True))
        series.append(Series("rule", name, held, judged, concerned=False))
    for name in workflow.events:
        series.append(Series("type", name, over(counts.types.get(name, {})), of))
    for name in sorted(set(counts.types) - set(workflow.events)):
        series.append(Series("new type", name, over(counts.types[name]), of))
    for name, repeated in sorted(counts.repeated.items()):
        if name in workflow.events:
            events = over({n: number for n, (number, _) in repeated.items()})
            squares = over({n: square for n, (_, square) in repeated.items()})
            series.append(Series("events", name, events, over(counts.types.get(name, {})), squares=squares))
    begun = tuple(counts.begun.get(n, 0) for n in periods)
    series.append(Series("volume", "cases", begun, begun))
    later = [name for name in names(workflow) if any(counts.unjudged.get(name, {}).values())]
    notes = (f"Archived cases from before these were in place do not count for them: {', '.join(later)}.",) if later else ()
    return Drift(workflow.name, width, shown, tuple(series), changes_of(shown, series), notes)


def _whole(counts: PeriodCounts, origin: int, width: int, n: int) -> bool:
    over = counts.until is None or origin + (n + 1) * width <= counts.until
    return n > min(counts.begun) and over


def _says(counts: PeriodCounts, n: int) -> bool:
    """Whether enough of a period's cases are decided."""
    return counts.decided.get(n, 0) >= _DECIDED * counts.begun.get(n, 0)


def _periods(counts: PeriodCounts) -> range:
    if not counts.begun:
        return range(0)
    first, last = min(counts.begun), max(counts.begun)
    while last > first and not (counts.begun.get(last, 0) and _says(counts, last)):
        last -= 1
    return range(first, last + 1)
