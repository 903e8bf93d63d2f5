"""Ids: 64 bits, ordered by time, made without asking anybody. In JSON they are strings: numbers lose digits in browsers."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable
from typing import Annotated, TypeAlias

from msgspec import Meta

__all__ = ["EPOCH", "GivenId", "Ids", "PublicId", "from_public", "made_at", "to_public"]

EPOCH = 1_735_689_600_000
"""2025-01-01 UTC, in milliseconds since 1970: where the 41 bits of an id's time begin. They last until 2094."""

_WORKERS = 1 << 10
_SEQUENCE = 1 << 12
_HIGHEST = (1 << 63) - 1
_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)

PublicId: TypeAlias = Annotated[str, Meta(pattern="^[0-9]{1,19}$", description="a 64-bit id, in digits", examples=["1"])]
"""An id as JSON and addresses have it."""


GivenId: TypeAlias = Annotated[int, Meta(ge=0, le=_HIGHEST)] | PublicId
"""An id as somebody may send it in JSON: in digits, or as a number, if it came that far without losing any."""


class Ids:
    """Makes ids: 41 bits of milliseconds since EPOCH, 10 bits of the worker, 12 bits of a sequence.

    Each is larger than the one before, also where the clock has gone back: then the last time is gone on from until the
    clock has caught up. It never waits: who needs more than 4,096 in a millisecond gets those of the next. `clock` is in
    milliseconds since 1970. May be called from any thread.

    Two that make ids for the same table need different workers; None draws one by chance.
    """

    def __init__(self, worker: int | None = None, *, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        if worker is not None and not 0 <= worker < _WORKERS:
            raise ValueError(f"a worker's number is from 0 to {_WORKERS - 1}, not {worker}")
        self.worker = secrets.randbelow(_WORKERS) if worker is None else worker
        self._clock = clock
        self._lock = threading.Lock()
        self._time = 0
        self._sequence = 0

    def new(self) -> int:
        """A new id."""
        with self._lock:
            now = max(self._clock() - EPOCH, 0)
            if now > self._time:
                self._time, self._sequence = now, 0
            elif self._sequence + 1 < _SEQUENCE:
                self._sequence += 1
            else:
                self._time, self._sequence = self._time + 1, 0
            return self._time << 22 | self.worker << 12 | self._sequence


def made_at(id: int) -> int:
    """When an id was made, in milliseconds since 1970, UTC."""
    return (id >> 22) + EPOCH


def to_public(id: int) -> PublicId:
    """The id for others to see."""
    return str(id)


def from_public(text: str | int) -> int | None:
    """The id that somebody named (a PublicId or a GivenId); None for what can be none."""
    if isinstance(text, int):
        return text if 0 <= text <= _HIGHEST else None
    if not _DIGITS.fullmatch(text):
        return None
    id = int(text)
    return id if id <= _HIGHEST else None
