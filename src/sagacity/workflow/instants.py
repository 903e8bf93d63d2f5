"""Instants and spans of time as people read them. Instants are UTC and written in the manner of ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sagacity.workflow.trace import FOREVER

__all__ = ["about", "instant", "iso", "span"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = int((datetime.min.replace(tzinfo=UTC) - _EPOCH) / timedelta(microseconds=1))
_LAST = int((datetime.max.replace(tzinfo=UTC) - _EPOCH) / timedelta(microseconds=1))
_UNITS = (("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000))


def instant(us: int) -> str:
    """An instant in microseconds since 1970-01-01T00:00Z as `2026-11-01 10:00:00Z`, with a fraction where it has one.

    `FOREVER` is `the end of the log`. Years that the calendar does not have (before 1, after 9999) are said in words.
    """
    if us == FOREVER:
        return "the end of the log"
    if not _FIRST <= us <= _LAST:
        return "a time before the year 1" if us < 0 else "a time after the year 9999"
    return _written(us, " ")


def iso(us: int) -> str | None:
    """An instant as ISO 8601 for machines, `2026-11-01T10:00:00Z`; None where it has no calendar date."""
    return _written(us, "T") if _FIRST <= us <= _LAST else None


def _written(us: int, separator: str) -> str:
    text = (_EPOCH + timedelta(microseconds=us)).replace(tzinfo=None).isoformat(separator)
    return f"{text.rstrip('0') if '.' in text else text}Z"


def span(us: int, units: int | None = None) -> str:
    """A length of time such as `2d 3h`, `15m` or `0.25s`; the largest `units` units only (cut, not rounded) if given."""
    sign, rest = ("-", -us) if us < 0 else ("", us)
    parts: list[str] = []
    for unit, size in _UNITS[:-1]:
        whole, rest = divmod(rest, size)
        if whole:
            parts.append(f"{whole:,}{unit}")
    if rest:
        parts.append(_seconds(rest if units is None or not parts else rest - rest % 1_000_000))
    kept = [part for part in parts if part != "0s"]
    return sign + (" ".join(kept[:units]) or "0s")


def about(us: int, units: int = 2) -> str:
    """A length of time without digits that nobody asks for, in at most so many units."""
    coarse = next((size for size in (1_000_000, 10_000, 1_000) if us >= 10 * size), 1)
    return span(us // coarse * coarse, units)


def _seconds(us: int) -> str:
    whole, fraction = divmod(us, 1_000_000)
    return f"{whole}.{fraction:06d}".rstrip("0") + "s" if fraction else f"{whole}s"
