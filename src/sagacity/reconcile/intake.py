"""Taking in: what the streams give, held until the ledger keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sagacity.errors import MemoryLimitError
from sagacity.ledger.live import LiveLedger
from sagacity.sources.stream import Batch, Part, Reach, Stream, divided

__all__ = ["FEWEST", "Intake"]

FEWEST = 1_000
"""Where the memory does not suffice for so few at a time, it does not suffice at all."""


class Intake:
    """Streams, and what has come of them and is not kept yet.

    `most` bounds the records of one round. Where several streams give, each gets its share of it. Where the ledger's memory
    does not suffice for as many at once, it is given fewer, and more again later. `latest` and `heard` tell of each part the
    latest event time, and when that last went on.
    """

    def __init__(self, streams: Sequence[Stream], most: int) -> None:
        self.latest: dict[Part, int] = {}
        self.heard: dict[Part, int] = {}
        self._streams = tuple(streams)
        self._most = most
        self._at_once = most
        self._given: list[tuple[Stream, list[Batch]]] = []
        self._waiting: list[Batch] = []

    def start(self, ledger: LiveLedger) -> None:
        """Give the streams the positions that the ledger knows."""
        positions: Mapping[Part, int] = ledger.positions()
        for stream in self._streams:
            stream.start(positions)
        for part in ledger.parts():
            key = (part.source, part.part)
            if part.latest is not None:
                self.latest[key] = part.latest
            if part.heard is not None:
                self.heard[key] = part.heard

    def take(self, wait: float) -> None:
        """Have the streams give, unless something they gave is not kept yet. The first waits, so that a round without
        records costs next to nothing."""
        if self._waiting:
            return
        share = max(self._most // max(len(self._streams), 1), 1)
        each_wait = wait / max(len(self._streams), 1)
        for stream in self._streams:
            if batches := stream.poll(share, 0.0 if self._given else each_wait):
                self._given.append((stream, batches))
        self._waiting = [batch for _, batches in self._given for batch in batches]

    def keep(self, ledger: LiveLedger, now: int) -> int:
        """Have the ledger keep what was taken; how many records. Where it fails, what it did not keep still waits."""
        records = 0
        self._at_once = min(self._at_once * 2, self._most)
        while self._waiting:
            first, rest = _portion(self._waiting, self._at_once)
            try:
                appended = ledger.append(first, now)
            except MemoryLimitError:
                if self._at_once <= FEWEST:
                    raise
                self._at_once = max(min(self._at_once, sum(len(batch.bodies) for batch in first)) // 2, FEWEST)
                continue
            self._waiting = rest
            records += appended.records
            further = {part: at for part, at in appended.latest.items() if at > self.latest.get(part, at - 1)}
            self.latest |= further
            self.heard |= dict.fromkeys(further, now)  # what moves nothing on, such as other types, holds nothing back
        for stream, batches in self._given:
            stream.durable(batches)
        self._given = []
        return records

    def reaches(self) -> tuple[Reach, ...]:
        return tuple(reach for stream in self._streams for reach in stream.reaches())


def _portion(batches: Sequence[Batch], most: int) -> tuple[list[Batch], list[Batch]]:
    """The first batches, of at most so many records together, and the rest; the last of them is divided if need be."""
    first: list[Batch] = []
    for place, batch in enumerate(batches):
        if len(batch.bodies) <= most:
            most -= len(batch.bodies)
            first.append(batch)
            continue
        rest = list(batches[place:])
        if most > 0:
            head, rest[0] = divided(batch, most)
            first.append(head)
        return first, rest
    return first, []
