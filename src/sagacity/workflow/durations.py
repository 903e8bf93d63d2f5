"""Durations in words: `15m`, `1h30m`, `PT15M`. As a number, a duration is an integer in microseconds.

A day is always 24 hours and a week seven such days, whatever a calendar says.
"""

from __future__ import annotations

import re
from decimal import Decimal

from sagacity.errors import UsageError

__all__ = ["UNITS", "format_duration", "parse_duration"]

UNITS: dict[str, int] = {
    "w": 604_800_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
"""Microseconds by unit, largest first."""

_LONGEST = 3_652_500 * UNITS["d"]
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|us|µs|w|d|h|m|s)\s*")
_ISO = re.compile(
    r"P(?=[\dT])(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d{1,6})?)S)?)?"
)
_WRITTEN = ("d", "h", "m", "s", "ms", "us")
_LEADING = {"d": 10**9, "h": 100, "m": 100, "s": 100, "ms": 10_000, "us": 10_000}
_HINT = "write a number and a unit, such as 15m, 24h, 3d, 1h30m or 500ms (units: w d h m s ms us), or ISO 8601 such as PT15M"


def parse_duration(text: str) -> int:
    """The microseconds that a duration such as `1h30m`, `3d`, `1.5h`, `PT15M` or `P3D` stands for.

    Raises UsageError where the text is not a duration, is not a whole number of microseconds, or exceeds 10,000 years.
    """
    stripped = text.strip()
    parts = _iso(stripped) if stripped[:1] == "P" else _words(stripped)
    if parts is None:
        raise UsageError(f"{_shown(text)} is not a duration", hint=_hint_for(stripped))
    total = sum((Decimal(number) * UNITS[unit] for number, unit in parts), Decimal(0))
    if total > _LONGEST:
        raise UsageError(
            f"{_shown(text)} is longer than 10,000 years", hint="leave the duration out where there is no limit"
        )
    if total != int(total):
        raise UsageError(f"{_shown(text)} is finer than a microsecond", hint="the smallest unit is us")
    return int(total)


def format_duration(microseconds: int) -> str:
    """The shortest exact way to write a duration; `parse_duration` reads it back. Negative ones start with `-`."""
    if microseconds < 0:
        return f"-{format_duration(-microseconds)}"
    if microseconds == 0:
        return "0s"
    written = [_from(start, microseconds) for start in range(len(_WRITTEN))]
    return min((text for text in written if text), key=len)


def _from(start: int, microseconds: int) -> str | None:
    text, rest = "", microseconds
    for unit in _WRITTEN[start:]:
        number, rest = divmod(rest, UNITS[unit])
        if number and not text and number >= _LEADING[unit]:
            return None
        if number:
            text += f"{number}{unit}"
    return text


def _words(text: str) -> list[tuple[str, str]] | None:
    parts: list[tuple[str, str]] = []
    position = 0
    while match := _PART.match(text, position):
        parts.append((match[1], match[2].replace("µ", "u")))
        position = match.end()
    units = [unit for _, unit in parts]
    largest_first = [unit for unit in UNITS if unit in units]
    return parts if parts and position == len(text) and units == largest_first else None


def _iso(text: str) -> list[tuple[str, str]] | None:
    match = _ISO.fullmatch(text)
    return [(number, unit) for unit, number in match.groupdict().items() if number] if match else None


def _hint_for(text: str) -> str:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return f"say the unit, such as {text}m or {text}d"
    if clock := re.fullmatch(r"(\d+):(\d+)", text):
        return f"{text} could be read two ways: write {int(clock[1])}h{int(clock[2])}m or {int(clock[1])}m{int(clock[2])}s"
    if re.fullmatch(r"P.*\d[YM].*", text) and _ISO.fullmatch(text) is None:
        return "months and years differ in length: state days, such as 30d"
    if text.startswith("-"):
        return "a duration is not negative"
    return _HINT


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
