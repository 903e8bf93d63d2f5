"""The stream port: a source that goes on giving records.

Guarantees, for every adapter:

- The records of one part come in the order of their positions, each at least once. What is read again after a restart
  begins at the position that `start` was given, so that a ledger which keeps events and positions in one transaction
  neither loses nor doubles a record.
- `poll` is the only place where records are taken in, and it returns no more than it was asked for: whoever does not poll
  is not given anything, and what waits outside (in the broker, in a file, in a bounded queue) does the waiting.
- No record is dropped. What cannot be read is passed on as it is, and is accounted for as rejected by the ledger.
- A server that is away is reported by `reaches`, never raised: the stream tries again by itself, backing off within bounds.
- A stream belongs to one thread at a time, but for what an adapter says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

__all__ = ["Batch", "Part", "Reach", "ReachState", "Stream", "divided"]

Part: TypeAlias = tuple[str, str]
"""A source's name, and the part of it in which positions count: `orders.events/3` of Kafka, a file's path, `http`."""

ReachState: TypeAlias = Literal["current", "behind", "down"]
"""`current`: all that was there at the last look has been read. `behind`: there is more. `down`: it cannot be read now."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Records of one part, in order.

    `bodies` are JSON documents (UTF-8), or whatever came instead of one. `positions` are theirs within the part, in step:
    a partition's offset, a line's byte in its file, a counter. `resume` is where to read on once the batch is durable;
    None for what is pushed, and so cannot be read again. `ticket` is the adapter's own, for `Stream.durable`.
    """

    source: str
    part: str
    bodies: Sequence[bytes]
    positions: Sequence[int]
    resume: int | None = None
    ticket: object = None


def divided(batch: Batch, at: int) -> tuple[Batch, Batch]:
    """A batch in two, the first of `at` records, fewer than there are: whoever keeps that alone reads on at the second."""
    positions = batch.positions
    first = msgspec.structs.replace(
        batch, bodies=batch.bodies[:at], positions=positions[:at], resume=None if batch.resume is None else positions[at]
    )
    return first, msgspec.structs.replace(batch, bodies=batch.bodies[at:], positions=positions[at:])


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """How far a part has been read. `lag` counts what is known to wait; None where that is not known. `error` says why a
    source is down, and how to mend it."""

    source: str
    part: str
    state: ReachState
    lag: int | None = None
    error: str | None = None


class Stream(Protocol):
    """Where records keep coming from, for one or several sources."""

    def start(self, positions: Mapping[Part, int]) -> None:
        """Read on from these positions; a part without one is read from its beginning."""
        ...

    def poll(self, most: int, wait: float) -> list[Batch]:
        """What has come, at most so many records; waits for the first at most `wait` seconds."""
        ...

    def durable(self, batches: Sequence[Batch]) -> None:
        """These batches of this stream are kept for good: whoever waits for that can be answered."""
        ...

    def reaches(self) -> list[Reach]:
        """How far each known part has been read, as of the last `poll`."""
        ...

    def close(self) -> None:
        """Let go of connections and files. May be called more than once."""
        ...
