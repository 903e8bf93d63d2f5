"""Token buckets: how often somebody may ask. Pure: the time is given."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

__all__ = ["Limiter", "Rate", "take"]


class Rate(msgspec.Struct, frozen=True):
    """So many requests a second in the long run, and `burst` of them at once."""

    per_second: float
    burst: int


class _Bucket(msgspec.Struct, frozen=True):
    left: float
    at: float


def take(rate: Rate, left: float, since: float) -> tuple[float, float]:
    """What is left in a bucket after one more request, `since` seconds after the last; and the seconds to wait.

    Where there is something to wait, the request is refused, and takes nothing out.
    """
    filled = min(float(rate.burst), left + max(since, 0.0) * rate.per_second)
    if filled >= 1.0:
        return filled - 1.0, 0.0
    return filled, (1.0 - filled) / rate.per_second


class Limiter:
    """A bucket for each asker; forgets those that have not asked for longest where there are more than `askers`.

    Belongs to one thread: the event loop's.
    """

    def __init__(self, rate: Rate, *, askers: int = 10_000) -> None:
        self._rate = rate
        self._most = askers
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def ask(self, asker: str, now: float) -> float:
        """Seconds that the asker has to wait, 0 where the request may pass. `now` is in seconds of any steady clock."""
        bucket = self._buckets.pop(asker, None) or _Bucket(float(self._rate.burst), now)
        left, wait = take(self._rate, bucket.left, now - bucket.at)
        self._buckets[asker] = _Bucket(left, max(now, bucket.at))
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return wait
