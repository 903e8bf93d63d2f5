"""Whether a reader keeps up with what comes, judged by how much each poll finds. Pure: the time is given, in seconds."""

from __future__ import annotations

__all__ = ["Pace"]

_BEHIND_AFTER = 2.0
"""Seconds for which all that is asked for has been there at once, after which more is thought to wait."""
_JOIN_WITHIN = 15.0
"""Seconds after which a replica that has got no partitions is thought to get none."""
_BEGUN_WITHIN = 60.0
"""Seconds after which a replica looks at timers although it has never been seen to have caught up: under a load that does
not cease, nobody would otherwise."""
_IN_A_ROW = 2
"""Polls that found less than they might have, after which nothing more is thought to wait; one may be short in the midst of
much. A poll that found nothing at all is enough."""


class Pace:
    """Of one reader that asks for `most` at a time, from `now` on.

    `begun`: whether what had come before it started has been read, as far as can be told. `behind`: whether it does not
    keep up.
    """

    def __init__(self, most: int, now: float) -> None:
        self.begun = False
        self.behind = False
        self._most = most
        self._began = self._caught_up = now
        self._short = 0

    def polled(self, found: int, now: float, *, assigned: bool) -> None:
        """A poll has found so many. `assigned`: whether there is anything that it reads."""
        waited = now - self._began
        short = found < self._most and (assigned or waited > _JOIN_WITHIN)
        self._short = self._short + 1 if short else 0
        if short:
            self._caught_up = now
        elif now - self._caught_up > _BEHIND_AFTER:
            self.behind = True
        if short and (found == 0 or self._short >= _IN_A_ROW):
            self.behind, self.begun = False, True
        self.begun = self.begun or waited > _BEGUN_WITHIN
