"""Counts, positions and choices: what is expected of the case as a whole, which then is the one activation.

A rule is given the events that count: those of its types for which `when` is true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from sagacity.judge.outcome import Fulfilled, Outcome, violation, when_due
from sagacity.judge.trace import Place, Trace

__all__ = ["CHOICES", "COUNTS", "POSITIONS", "first_is"]

Events: TypeAlias = Sequence[Place]


def _existence(trace: Trace, a: Events, n: int) -> Outcome:
    return Fulfilled() if len(a) >= n else when_due(violation("missing", trace.end), trace.as_of)


def _absence(_: Trace, a: Events, n: int) -> Outcome:
    if len(a) < n:
        return Fulfilled()
    return violation("unexpected" if n == 1 else "duplicate", since=a[n - 1].time)


def _exactly(trace: Trace, a: Events, n: int) -> Outcome:
    return violation("duplicate", since=a[n].time) if len(a) > n else _existence(trace, a, n)


def first_is(trace: Trace, a: Events) -> Outcome:
    """Whether an a is among the events at the first position."""
    if not trace.positions:
        return when_due(violation("missing", trace.end), trace.as_of)
    first = trace.positions[0]
    if any(place.position == first for place in a):
        return Fulfilled()
    time, _ = first
    return violation("out_of_order" if a else "missing", since=time)


def _last_is(trace: Trace, a: Events) -> Outcome:
    if any(place.position == trace.positions[-1] for place in a):
        return Fulfilled()
    return when_due(violation("out_of_order" if a else "missing", trace.end), trace.as_of)


def _choice(trace: Trace, a: Events, b: Events) -> Outcome:
    return Fulfilled() if a or b else when_due(violation("missing", trace.end), trace.as_of)


def _exclusive_choice(trace: Trace, a: Events, b: Events) -> Outcome:
    return violation("unexpected", since=max(a[0].time, b[0].time)) if a and b else _choice(trace, a, b)


COUNTS: dict[str, Callable[[Trace, Events, int], Outcome]] = {
    "existence": _existence,
    "absence": _absence,
    "exactly": _exactly,
}

POSITIONS: dict[str, Callable[[Trace, Events], Outcome]] = {"init": first_is, "end": _last_is}

CHOICES: dict[str, Callable[[Trace, Events, Events], Outcome]] = {
    "choice": _choice,
    "exclusive_choice": _exclusive_choice,
}
