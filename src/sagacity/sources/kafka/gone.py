"""Partitions on whose position is gone, and when a broker is next asked where to read on. Pure: the time is given."""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["Gone"]

Place: TypeAlias = tuple[str, int]
"""A topic, and the number of a partition of it."""


class Gone:
    """Times are seconds of any steady clock. Belongs to one thread."""

    def __init__(self) -> None:
        self._places: dict[Place, None] = {}
        self._again = 0.0

    def add(self, place: Place) -> None:
        self._places[place] = None

    def remove(self, place: Place) -> None:
        del self._places[place]

    def next(self, now: float) -> Place | None:
        """Which to ask about now, if any."""
        return next(iter(self._places), None) if now >= self._again else None

    def put_off(self, place: Place, until: float) -> None:
        """Ask about none of them before an instant, and about this one after the others: where a broker does not answer for
        one, asking for the next would only hold up as long again."""
        del self._places[place]
        self._places[place] = None
        self._again = until
