"""Topics that nothing can be sent to: left alone for a while, each time for longer, so that all others go on. Pure."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Resting"]

_FIRST = 5.0
_LONGEST = 60.0
"""Seconds."""


class Resting:
    """Which topics a relay leaves alone, and until when. `now` is in seconds, of any clock that only goes forward."""

    def __init__(self) -> None:
        self._failing: dict[str, tuple[float, float]] = {}  # the last pause, and its end

    @property
    def failing(self) -> list[str]:
        """The topics of which nothing has been sent since it failed last."""
        return sorted(self._failing)

    def failed(self, topics: Iterable[str], now: float) -> None:
        """Nothing can be sent to these: leave them alone, twice as long as the last time."""
        for topic in topics:
            pause = min(self._failing[topic][0] * 2, _LONGEST) if topic in self._failing else _FIRST
            self._failing[topic] = (pause, now + pause)

    def sent(self, topics: Iterable[str]) -> None:
        """Something of these was sent."""
        for topic in topics:
            self._failing.pop(topic, None)

    def now(self, now: float) -> list[str]:
        """The topics that are to be left alone now."""
        return [topic for topic, (_, until) in self._failing.items() if now < until]
