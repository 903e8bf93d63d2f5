"""What is looked at over periods, and what is told of it: values, without the finding of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

__all__ = ["Bins", "Change", "Drift", "Period", "Series", "What"]

What: TypeAlias = Literal["rule", "delay", "type", "new type", "events", "variant", "volume"]

Bins: TypeAlias = Mapping[int, tuple[int, int]]
"""How long something takes: by sixteenths of a doubling of microseconds, how many, and the longest of them."""


class Period(msgspec.Struct, frozen=True):
    """A period by its start (microseconds), with the cases that began in it and are counted. It is `whole` where the log
    reaches from before its start to beyond its end, so that its number of cases can be compared."""

    start: int
    cases: int
    whole: bool = True


class Series(msgspec.Struct, frozen=True):
    """What was counted in each period: `held` of `of`.

    Of delays, `held` is their median (microseconds), `of` how many there are, and `bins` how they are spread. Of events,
    `held` is how many of the type there are, `of` in how many cases, and `squares` the sum of the squares of how many a
    case has. `accepted` is in how many of how many cases a rule held when it was accepted; `concerned` tells that `of`
    are the cases that it concerns, and not all.
    """

    what: What
    name: str
    held: tuple[int, ...]
    of: tuple[int, ...]
    accepted: tuple[int, int] | None = None
    concerned: bool = True
    squares: tuple[int, ...] = ()
    bins: tuple[Bins, ...] = ()


class Change(msgspec.Struct, frozen=True):
    """A change: what of, since the start of which period (microseconds), and the sentence that tells it.

    `until` is the start of the period from which on it is so no more: `back` as it was before, or otherwise again, of which
    there is a change of its own; None where it is so still. `noticed` is the end of the first period with which it was more
    than chance. Of a delay, `quantile` is the one that is told: 0.5, or what one in ten takes longer than, 0.9.
    """

    what: What
    name: str
    since: int
    sentence: str
    until: int | None = None
    back: bool = False
    noticed: int = 0
    quantile: float | None = None


class Drift(msgspec.Struct, frozen=True):
    """How a workflow fared over periods of one width (microseconds), and what changed, the earliest change first. `notes`
    say what was left aside."""

    workflow: str
    width: int
    periods: tuple[Period, ...]
    series: tuple[Series, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()
