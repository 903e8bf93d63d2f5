"""Durations: what is understood, what is refused with a reason, and how they are written."""

from __future__ import annotations

import pytest

from sagacity.errors import UsageError
from sagacity.workflow.durations import format_duration, parse_duration

MINUTE = 60_000_000
HOUR, DAY = 60 * MINUTE, 1440 * MINUTE


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("15m", 15 * MINUTE),
        ("1h30m", 90 * MINUTE),
        ("1h 30m", 90 * MINUTE),
        (" 3d ", 3 * DAY),
        ("2w", 14 * DAY),
        ("1.5h", 90 * MINUTE),
        ("250ms", 250_000),
        ("7us", 7),
        ("0s", 0),
        ("PT15M", 15 * MINUTE),
        ("P3D", 3 * DAY),
        ("P1DT2H", 26 * HOUR),
        ("P2W", 14 * DAY),
        ("PT0.5S", 500_000),
    ],
)
def test_a_duration_is_read_in_microseconds(text: str, microseconds: int) -> None:
    assert parse_duration(text) == microseconds


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("15", "say the unit, such as 15m"),
        ("1:30", "write 1h30m or 1m30s"),
        ("-3d", "not negative"),
        ("P1M", "months and years differ in length"),
        ("P1Y", "months and years differ in length"),
        ("", "write a number and a unit"),
        ("m15", "write a number and a unit"),
        ("30m1h", "write a number and a unit"),
        ("1m1m", "write a number and a unit"),
        ("3 days", "write a number and a unit"),
        ("PT", "write a number and a unit"),
        ("0.5us", "the smallest unit is us"),
        ("9" * 400 + "d", "leave the duration out"),
        ("4000000d", "leave the duration out"),
    ],
)
def test_what_is_no_duration_is_refused_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_duration(text)
    assert hint in (caught.value.hint or "")
    assert len(caught.value.message) < 120


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "0s"),
        (15 * MINUTE, "15m"),
        (90 * MINUTE, "90m"),
        (24 * HOUR, "1d"),
        (26 * HOUR, "26h"),
        (30 * DAY, "30d"),
        (DAY + HOUR + MINUTE, "25h1m"),
        (1_500_000, "1500ms"),
        (-15 * MINUTE, "-15m"),
    ],
)
def test_a_duration_is_written_short_and_exact(microseconds: int, text: str) -> None:
    assert format_duration(microseconds) == text
