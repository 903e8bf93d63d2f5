"""As-of instants as callers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sagacity.errors import UsageError
from sagacity.workflow.trace import FOREVER

__all__ = ["AsOf", "as_of_instant", "now"]

AsOf = str | datetime | int | None
"""ISO 8601 with an offset or Z, a datetime with a zone, microseconds since 1970-01-01T00:00Z, `end`, or None."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> int:
    """The present, in microseconds since 1970-01-01T00:00Z."""
    return _microseconds(datetime.now(UTC))


def as_of_instant(given: AsOf) -> int | None:
    """The instant in microseconds UTC; `FOREVER` for `end`; None for the latest event. Raises UsageError."""
    if given is None or isinstance(given, int):
        return given
    if isinstance(given, str):
        if given.strip().lower() == "end":
            return FOREVER
        try:
            given = datetime.fromisoformat(given.strip())
        except ValueError:
            raise UsageError(
                f"as-of '{given}' is not an instant", hint="write it like 2026-11-01T00:00Z, or `end` for a complete log"
            ) from None
    if given.tzinfo is None:
        raise UsageError(
            f"as-of {given.isoformat()} does not say its time zone",
            hint=f"add Z for UTC, or an offset: {given.isoformat(timespec='minutes')}Z",
        )
    return _microseconds(given)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
