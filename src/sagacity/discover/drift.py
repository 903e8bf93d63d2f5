"""What has changed in how cases go, since when, in a plain sentence.

Each series over periods is parted where it becomes otherwise (`drift_parting.py`), by the measure of its kind
(`drift_kinds.py`). What is told must be too much for chance, and enough to matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from sagacity.discover.drift_kinds import KINDS, Kind, Said
from sagacity.discover.drift_parting import parted
from sagacity.discover.drift_series import Bins, Change, Drift, Period, Series, What
from sagacity.workflow.durations import UNITS
from sagacity.workflow.instants import instant

__all__ = ["Bins", "Change", "Drift", "Period", "Series", "What", "changes_of"]

_MOST = 4
_PERIODS_A_CHANGE = 3
_RHYTHM = 2 * UNITS["w"]
"""By less than a week, so long is looked at for each change: what comes each night or weekend is none."""


def changes_of(periods: Sequence[Period], series: Sequence[Series]) -> tuple[Change, ...]:
    """What changed, the earliest first."""
    found = [change for each in series for change in _changes(periods, each)]
    return tuple(sorted(found, key=lambda change: (change.since, change.what, change.name)))


def _changes(periods: Sequence[Period], series: Series) -> list[Change]:
    """The changes of one series: where a stretch is as the one before the last, the last is over."""
    kind = KINDS[series.what]
    stretches, dispersion = _stretches(periods, series, kind)
    found, place = [], 1
    while place < len(stretches):
        then, now = stretches[place - 1], stretches[place]
        after = stretches[place + 1] if place + 1 < len(stretches) else None
        back = after is not None and _alike(series, kind, then, after, dispersion)
        said = kind.said(series, [*then, *after] if back and after else then, now)
        if said is not None:
            since = periods[now[0]].start
            until = periods[after[0]].start if after else None
            noticed = _noticed(periods, series, kind, now[0], then[0])
            sentence = _sentence(said, since, until, back)
            found.append(Change(series.what, series.name, since, sentence, until, back, noticed, said.quantile))
        if back and after:
            stretches[place + 1] = [*then, *after]
            place += 1
        place += 1
    return found


def _stretches(periods: Sequence[Period], series: Series, kind: Kind) -> tuple[list[list[int]], float]:
    """The places of the periods of each stretch, and how much more than by chance these vary by themselves."""
    course, places = kind.course(periods, series)
    parting = parted(
        course,
        min(kind.most, _most(periods, len(places))),
        lambda then, now: kind.matters(series, places[slice(*then)], places[slice(*now)]),
        kind.chance,
    )
    return [places[start:end] for start, end in parting.stretches()], parting.dispersion


def _most(periods: Sequence[Period], compared: int) -> int:
    """How many changes so many periods can tell of."""
    most = max(min((compared - 1) // _PERIODS_A_CHANGE, _MOST), 1)
    width = min((b.start - a.start for a, b in pairwise(periods)), default=UNITS["w"])
    if width >= UNITS["w"]:
        return most
    spent = (periods[-1].start + width - periods[0].start) // _RHYTHM
    return min(most, max(2 * spent, 1) if spent < 2 else _MOST)


def _alike(series: Series, kind: Kind, then: Sequence[int], after: Sequence[int], dispersion: float) -> bool:
    """Whether two stretches differ by no more than chance, or by nothing that matters."""
    if not kind.matters(series, then, after):
        return True
    both = [*then, *after]
    course, _ = kind.course([Period(place * UNITS["w"], 0) for place in range(len(both))], _only(series, both))
    apart = course.cost(0, len(both)) - course.cost(0, len(then)) - course.cost(len(then), len(both))
    return apart <= kind.chance * dispersion


def _noticed(periods: Sequence[Period], series: Series, kind: Kind, place: int, former: int) -> int:
    """The end of the first period with which a change at a place is told; found by halving, since what is told once is told
    from then on."""
    width = periods[1].start - periods[0].start
    low, high = place + 1, len(periods)
    while low < high:
        middle = (low + high) // 2
        stretches, _ = _stretches(periods[:middle], _only(series, range(middle)), kind)
        low, high = (low, middle) if any(each[0] > former for each in stretches[1:]) else (middle + 1, high)
    return periods[low - 1].start + width


def _only(series: Series, places: Sequence[int]) -> Series:
    """The series in some of its periods."""
    return replace(
        series,
        held=tuple(series.held[place] for place in places),
        of=tuple(series.of[place] for place in places),
        squares=tuple(series.squares[place] for place in places if series.squares),
        bins=tuple(series.bins[place] for place in places if series.bins),
    )


def _sentence(said: Said, since: int, until: int | None, back: bool) -> str:
    when = f"Since {_day(since)}: {said.now}" if until is None else f"From {_day(since)} to {_day(until)}: {said.past}"
    before = "before and after" if back else "before"
    if said.then:
        return f"{when}; {before}, {said.then}.{said.tail}"
    return f"{when}; neither before nor after.{said.tail}" if back else f"{when}.{said.tail}"


def _day(us: int) -> str:
    return instant(us)[:10] if us % UNITS["d"] == 0 else instant(us)[:16]
