"""Quiet hours: when a channel is to be left alone, on the clocks of its own time zone.

A time of day that the clocks skip or show twice is read both ways: quiet begins at the earlier reading and ends at the
later, so that a change of clocks never shortens the quiet. Instants are microseconds since 1970-01-01T00:00Z.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

import msgspec

from sagacity.workflow.model import Severity

__all__ = ["DAYS", "SEVERITIES", "Day", "QuietHours", "quiet_until", "reaches"]

Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least to the most severe."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class QuietHours(msgspec.Struct, frozen=True, kw_only=True):
    """Every day of `days`, from the minute `begins` to the minute `ends` of the day (of the next one where it is earlier).

    `days` are those on which the quiet begins. `severity` breaks through, and so does whatever is more severe; None lets
    nothing through.
    """

    begins: int
    ends: int
    timezone: str
    days: tuple[Day, ...] = DAYS
    severity: Severity | None = "critical"


def reaches(severity: Severity, least: Severity) -> bool:
    """Whether a severity is at least another."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(least)


def quiet_until(quiet: QuietHours | None, severity: Severity, now: int) -> int | None:
    """The instant at which the quiet that holds now for this severity is over; None where none holds."""
    if quiet is None or (quiet.severity is not None and reaches(severity, quiet.severity)):
        return None
    zone = ZoneInfo(quiet.timezone)
    today = (_EPOCH + now * _MICROSECOND).astimezone(zone).date()
    # A day either side, since clocks that change may move a reading over midnight.
    for day in (today + timedelta(days=offset) for offset in (-2, -1, 0, 1)):
        if DAYS[day.weekday()] in quiet.days:
            over = day + timedelta(days=1) if quiet.ends <= quiet.begins else day
            begins, ends = min(_readings(day, quiet.begins, zone)), max(_readings(over, quiet.ends, zone))
            if begins <= now < ends:
                return ends
    return None


def _readings(day: date, minute: int, zone: ZoneInfo) -> tuple[int, int]:
    at = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    first, second = ((at.replace(fold=fold) - _EPOCH) // _MICROSECOND for fold in (0, 1))
    return first, second
