"""Complete lines as records. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import msgspec

__all__ = ["LONGEST", "Lines", "nothing", "one_line", "shortened", "whole_lines"]

LONGEST = 16 * 2**20
"""Bytes that a line may have, as in files that are read as history."""

_KEPT = 1024


class Lines(msgspec.Struct, frozen=True):
    """Records, the byte at which each begins, and the byte after the last of these lines."""

    bodies: Sequence[bytes]
    positions: Sequence[int]
    end: int


def nothing(at: int) -> Lines:
    return Lines((), (), at)


def whole_lines(text: bytes, at: int, most: int) -> Lines:
    """The first lines, `most` at the most, of a text that begins at this byte and ends with a line's end. Blank lines are
    no records."""
    bodies = text.split(b"\n", most)
    bodies.pop()
    starts = list(accumulate((len(body) + 1 for body in bodies), initial=at))
    end = starts.pop()
    kept = [(body, start) for body, start in zip(bodies, starts, strict=True) if body and not body.isspace()]
    return Lines([body for body, _ in kept], [start for _, start in kept], end)


def one_line(body: bytes, at: int, end: int) -> Lines:
    """One line from one byte to another. Blank, it is no record."""
    return Lines([body], [at], end) if body and not body.isspace() else nothing(end)


def shortened(start: bytes, length: int) -> bytes:
    """What stands for a line that is too long: its beginning and its length, which is no JSON, and so rejected."""
    return start[:_KEPT] + b" ... (a line of %d bytes, more than the %d that a record may have)" % (length, LONGEST)
