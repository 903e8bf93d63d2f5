"""Instants and durations as the API writes and reads them.

Instants are ISO 8601, UTC, always with six places: `2026-11-01T10:00:00.000000Z`. What never comes is null. Durations are
written as a number of seconds, in fields whose names end in `_seconds`; they are read as `7d`, `1h30m` or `P7D`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import Meta

from sagacity.errors import UsageError
from sagacity.workflow.durations import parse_duration
from sagacity.workflow.trace import FOREVER

__all__ = ["Instant", "instant_of", "later", "seconds", "stamp"]

Instant = Annotated[str, Meta(description="ISO 8601, UTC, six places", examples=["2026-11-01T10:00:00.000000Z"])]
"""The type of an instant in a document."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_HINT = "write it like 2026-11-01T00:00Z, with Z or an offset"


def stamp(us: int | None) -> str | None:
    """An instant in microseconds since 1970-01-01T00:00Z as text; None where it is none, or one without a date."""
    if us is None or us == FOREVER or not _FIRST <= us <= _LAST:
        return None
    return (_EPOCH + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def seconds(us: int | None) -> float | None:
    """A duration in microseconds as seconds."""
    return None if us is None else us / 1_000_000


def instant_of(text: str) -> int:
    """The microseconds of an instant in ISO 8601 that says its zone; a date alone is its first instant, UTC.

    Raises UsageError.
    """
    written = text.strip()
    if re.fullmatch(r"\d{4}-\d\d-\d\d", written):
        written += "T00:00Z"
    try:
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is None:
            raise UsageError(f"{_shown(text)} does not say its time zone", hint=f"add Z for UTC: {_shown(text)[1:-1]}Z")
        return (moment - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise UsageError(f"{_shown(text)} is not an instant", hint=_HINT) from None


def later(text: str, now: int) -> int:
    """What `until` says: an instant, or how long from now. Raises UsageError where it is neither, or not in the future."""
    if re.match(r"\s*\d{4}-", text):
        at = instant_of(text)
    else:
        try:
            at = now + parse_duration(text)
        except UsageError as error:
            raise UsageError(f"{_shown(text)} is neither an instant nor a duration", hint=error.hint) from None
    if at <= now:
        raise UsageError(f"{_shown(text)} is not in the future", hint="leave it away for no end at all")
    return at


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
