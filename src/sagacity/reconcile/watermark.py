"""How far a verdict may look: the watermark of each source, allowed lateness, and sources that are behind.

The terms are those of stream processing. A part of a source has a *watermark*, the instant up to which its events are
thought to have come: the latest event time seen or, once that has not moved for `idle` with nothing left to read, the
present; one that is behind keeps what it had when it was last current. As-of is the least watermark less the allowed
*lateness*. A part that is behind or down holds as-of back no longer than `idle`; from then on what only its source could
still bring is not judged, but pending: *source behind*.

Pure: the time and the facts come in as arguments. Instants and durations are in microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from sagacity.ledger.live import Outlook
from sagacity.sources.stream import ReachState

__all__ = ["Heard", "Patience", "outlook"]


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long events are waited for: `lateness` for those that come after later ones, `idle` for a silent source."""

    lateness: int = 2_000_000
    idle: int = 500_000


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one part: its state and since when; the latest event time; when an event last moved that on; and
    when the part was last current, that is, had nothing left to read."""

    source: str
    part: str
    state: ReachState
    since: int
    latest: int | None = None
    heard: int | None = None
    current: int | None = None


def outlook(
    parts: Sequence[Heard], now: int, patience: Patience, before: int | None, horizons: Mapping[str, int] | None = None
) -> Outlook | None:
    """What may be judged now; as-of never goes back behind `before`, and no source behind its horizon, how far it had been
    heard then. None as long as nothing is known."""
    reached = horizons or {}
    marks = {each: _watermark(each, now, patience) for each in parts}
    awaited = [each for each in parts if each.state == "current" or now - each.since < patience.idle]
    if not any(each.state == "current" for each in parts):
        awaited = [each for each in parts if each.state == "behind"]
    known = [mark for each in awaited if (mark := marks[each]) is not None]
    if not known or len(known) < len(awaited):
        return None if before is None else _looking(before, marks, patience, reached)
    as_of = min(known) - patience.lateness
    if before is not None:
        as_of = max(as_of, before)
    return _looking(as_of, marks, patience, reached)


def _looking(as_of: int, marks: dict[Heard, int | None], patience: Patience, reached: Mapping[str, int]) -> Outlook:
    behind = _behind(marks, patience, as_of, reached)
    now = {part.source: max(behind.get(part.source, as_of), reached.get(part.source, 0)) for part in marks}
    return Outlook(as_of, behind, {**reached, **now})


def _watermark(part: Heard, now: int, patience: Patience) -> int | None:
    silent = part.heard is None or now - part.heard >= patience.idle
    if part.state == "current" and silent:
        return now
    if part.state == "current":
        return part.latest if part.latest is None else min(part.latest, now)
    return max((min(each, now) for each in (part.latest, part.current) if each is not None), default=None)


def _behind(marks: dict[Heard, int | None], patience: Patience, as_of: int, before: Mapping[str, int]) -> dict[str, int]:
    """The sources that have been heard up to an earlier instant only; 0 for one that was never heard."""
    horizons: dict[str, int] = {}
    for part, mark in marks.items():
        if part.state != "current":
            reached = 0 if mark is None else mark - patience.lateness
            horizons[part.source] = min(reached, horizons.get(part.source, reached))
    known = {source: max(reached, before.get(source, reached)) for source, reached in horizons.items()}
    return {source: reached for source, reached in known.items() if reached < as_of}
