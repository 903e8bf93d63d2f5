"""How long an answer is awaited, and how long a pause is: the policy's times, with chance that is drawn from an id."""

from __future__ import annotations

from datetime import timedelta
from zlib import crc32

from sagacity.saga.definition import Retry

__all__ = ["microseconds", "pause"]

_ENOUGH = 64
"""A factor to a higher power than this changes nothing: the longest pause is reached, or the factor is 1."""


def microseconds(duration: timedelta) -> int:
    """A timedelta as whole microseconds."""
    return duration // timedelta(microseconds=1)


def pause(retry: Retry, number: int, id: str) -> int:
    """The pause after the n-th failure, in microseconds: between half of what the policy says and all, as the id has it."""
    grown = microseconds(retry.first) * retry.factor ** min(number - 1, _ENOUGH)
    longest = round(min(grown, microseconds(retry.most)))
    return longest - longest // 2 * crc32(f"{id} {number}".encode()) // 0xFFFFFFFF
