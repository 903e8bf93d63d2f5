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
    """What has changed, of the cases that nothing is waited for any more. The latest periods are left out while fewer than
    nine in ten of their cases are decided.

    Of each expectation it is counted in how many cases it has no finding: what it does not concern counts as well.
    """
    periods = _periods(counts)
    shown = tuple(Period(origin + n * width, counts.decided.get(n, 0)) for n in periods)
    of = tuple(counts.decided.get(n, 0) for n in periods)

    def over(found: Mapping[int, int]) -> tuple[int, ...]:
        return tuple(found.get(n, 0) for n in periods)

    series = []
    for name in names(workflow):
        broken = over(counts.violated.get(name, {}))
        held = tuple(max(n - violated, 0) for n, violated in zip(of, broken, strict=True))
        accepted = workflow.accepted.get(name)
        then = (accepted.held, accepted.of) if accepted is not None else None
        series.append(Series("rule", name, held, of, then, concerned=False))
    for name in workflow.events:
        series.append(Series("type", name, over(counts.types.get(name, {})), of))
    for name in sorted(set(counts.types) - set(workflow.events)):
        series.append(Series("new type", name, over(counts.types[name]), of))
    begun = over(counts.begun)
    series.append(Series("volume", "cases", begun, begun))
    return Drift(workflow.name, width, shown, tuple(series), changes_of(shown, series))


def _periods(counts: PeriodCounts) -> range:
    if not counts.begun:
        return range(0)
    first, last = min(counts.begun), max(counts.begun)
    while last > first and counts.decided.get(last, 0) < _DECIDED * counts.begun.get(last, 0):
        last -= 1
    return range(first, last + 1)
