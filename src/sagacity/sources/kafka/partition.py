"""How far one partition has been read, and what is wrong with it. Pure: what happens is told, what follows is returned."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from sagacity.sources.kafka.health import Leadership
from sagacity.sources.kafka.routes import part_of
from sagacity.sources.stream import Batch, Reach, ReachState

__all__ = ["Partition"]

_STEADY = 3
"""A broker is away, or back, when so many looks in a row (two a second) say so. From the first on nothing is current."""


class Partition:
    """A partition that is read for one or several sources.

    `positions` are where each source reads on; a source without one begins at the beginning. The partition is read from
    the least of these, and each source is given what it has not had yet.
    """

    def __init__(self, topic: str, number: int, sources: Sequence[str], positions: Mapping[str, int], identity: str) -> None:
        self.topic = topic
        self.number = number
        self.part = part_of(topic, number)
        self.sources = tuple(sources)
        self.identity = identity
        self.changed = True
        known = [positions.get(source) for source in sources]
        self.position: int | None = None if None in known else min(each for each in known if each is not None)
        self._ahead = {source: at for source, at in positions.items() if source in sources and at != self.position}
        self._end: int | None = None
        self._lost: str | None = None
        self._refused: str | None = None
        self._trouble: str | None = None
        self._said: str | None = None
        self._looks = 0
        self._down = False

    def joined(self, sources: Sequence[str], positions: Mapping[str, int]) -> bool:
        """The partition is read for these sources now; `positions` are where those that it was not read for read on. Whether
        reading goes on elsewhere than it was."""
        now = {source: at for source, at in positions.items() if source in sources and source not in self.sources}
        for source in self.sources:
            at = self._ahead.get(source, self.position)
            if at is not None:
                now[source] = at
        before = self.position
        self.sources = tuple(sources)
        self.position = min(now.values()) if len(now) == len(self.sources) else None
        self._ahead = {source: at for source, at in now.items() if at != self.position}
        self.changed = True
        return self.position != before

    def took(self, bodies: Sequence[bytes], offsets: Sequence[int], end: int | None) -> list[Batch]:
        """Records have come, of these ascending offsets; `end` is the partition's end as it is known by now."""
        self.position = offsets[-1] + 1
        self._end = end
        self._refused = None
        self.changed = True
        if not self._ahead:
            return [self._batch(source, bodies, offsets) for source in self.sources]
        batches = []
        for source in self.sources:
            start = bisect_left(offsets, self._ahead.get(source, 0))
            if start < len(offsets):
                self._ahead.pop(source, None)
                batches.append(self._batch(source, bodies[start:], offsets[start:]))
        return batches

    def _batch(self, source: str, bodies: Sequence[bytes], offsets: Sequence[int]) -> Batch:
        return Batch(source=source, part=self.part, bodies=bodies, positions=offsets, resume=offsets[-1] + 1)

    def reached_end(self, offset: int) -> None:
        """All that is there has been given, up to this offset, gaps and marks of transactions included."""
        self.position = self._end = offset
        self._refused = None
        self.changed = True

    def restart(self, low: int, high: int) -> str:
        """The position is not there any more: read on from `low`, the earliest that is left. Says what was lost."""
        at = self.position or 0
        if at < low:
            self._ahead = {source: ahead for source, ahead in self._ahead.items() if ahead > low}
            lost = f"offsets {at} to {low - 1} were gone before they were read: up to {low - at} records"
            self._lost = f"{lost}; read on from {low}. Retention is shorter than the time that reading was behind or stopped"
        else:
            self._ahead = {}
            lost = f"its end is {high}, before the position {at} that was to be read next; read again from {low}"
            self._lost = f"{lost}. The topic was made anew, or its end was lost with a broker"
        self.position = low
        self._end = self._refused = None
        self.changed = True
        return self._lost

    def remade(self, identity: str) -> str:
        """The topic was deleted and made anew: read the new one from its beginning."""
        self._lost = "the topic was made anew: it is read from its beginning; what was not read of the former one is gone"
        self.identity = identity
        self.position = self._end = self._refused = None
        self._ahead = {}
        self.changed = True
        return self._lost

    def refused(self, reason: str | None) -> None:
        """The broker gives nothing of this partition, for a reason that stands until something comes."""
        self.changed = self.changed or reason != self._refused
        self._refused = reason

    def looked(self, leadership: Leadership, reason: str | None) -> None:
        """Half a second has passed, and this is how it stands; `reason` is what the client complained of last."""
        if (leadership.trouble is not None) != self._down:
            self._looks += 1
            if self._looks >= _STEADY:
                self._down = not self._down
                self._looks = 0
                self.changed = True
        else:
            self._looks = 0
        trouble = f"{leadership.trouble}: {reason}" if leadership.trouble and reason else leadership.trouble
        if trouble != self._trouble:
            self._trouble = trouble
            self._said = trouble or self._said
            self.changed = True
        if leadership.end is not None and leadership.end != self._end:
            self._end = leadership.end
            self.changed = True

    def reaches(self) -> list[Reach]:
        """How far each source has been read."""
        self.changed = False
        lag = None if self.position is None or self._end is None else max(self._end - self.position, 0)
        current = lag == 0 and self._trouble is None
        state: ReachState = "down" if self._down or self._refused else "current" if current else "behind"
        error = self._refused or (self._said if self._down else None) or self._lost
        return [Reach(source=source, part=self.part, state=state, lag=lag, error=error) for source in self.sources]
