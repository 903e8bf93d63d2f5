"""Periods of equal width: hours, days, weeks that begin on Mondays, or any other."""

from __future__ import annotations

from sagacity.workflow.durations import UNITS, parse_duration

__all__ = ["MONDAY", "width_of"]

MONDAY = 4 * UNITS["d"]
"""1970-01-05, the first Monday: weeks begin on Mondays."""

_WIDTHS = {"hour": UNITS["h"], "day": UNITS["d"], "week": UNITS["w"]}


def width_of(by: str) -> int:
    """A period in microseconds: `hour`, `day`, `week`, or a duration such as `30d`. Raises UsageError."""
    return _WIDTHS[by] if by in _WIDTHS else parse_duration(by)
