"""Taking in: what the streams give, held until the ledger keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sagacity.errors import MemoryLimitError
from sagacity.ledger.live import LiveLedger
from sagacity.sources.stream import Batch, Part, Reach, Stream, divided

__all__ = ["LARGEST", "Intake"]

LARGEST = 32_000_000
"""Bytes of records that the ledger is given at a time; a larger record is given alone."""


class Intake:
    """Streams, and what has come of them and is not kept yet.

    `most` bounds the records of one round. Where several streams give, each gets its share of it. Where the ledger's memory
    does not suffice for as many at once, it is given fewer, down to one, and more again later. `records` counts what was
    kept so far. `latest` and `heard` tell of each part the latest event time, and when that last went on.
    """

    def __init__(self, streams: Sequence[Stream], most: int) -> None:
        self.records = 0
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

    def keep(self, ledger: LiveLedger, now: int, as_of: int | None = None) -> int:
        """Have the ledger keep what was taken; how many records. Where it fails, what it did not keep still waits, and what
        it kept before is counted in `records`. `as_of` is what `LiveLedger.append` says."""
        before = self.records
        self._at_once = min(self._at_once * 2, self._most)
        while self._waiting:
            first, rest = _portion(self._waiting, self._at_once)
            try:
                appended = ledger.append(first, now, as_of)
            except MemoryLimitError:
                tried = min(self._at_once, sum(len(batch.bodies) for batch in first))
                if tried <= 1:
                    raise
                self._at_once = tried // 2
                continue
            self._waiting = rest
            self.records += appended.records
            further = {part: at for part, at in appended.latest.items() if at > self.latest.get(part, at - 1)}
            self.latest |= further
            self.heard |= dict.fromkeys(further, now)  # what moves nothing on, such as other types, holds nothing back
        for stream, batches in self._given:
            stream.durable(batches)
        self._given = []
        return self.records - before

    def reaches(self) -> tuple[Reach, ...]:
        return tuple(reach for stream in self._streams for reach in stream.reaches())


def _portion(batches: Sequence[Batch], most: int) -> tuple[list[Batch], list[Batch]]:
    """The first batches, of at most so many records and of `LARGEST` bytes together, and the rest; the last of them is
    divided if need be. At least one record, if there is any."""
    first: list[Batch] = []
    room, empty = LARGEST, True
    for place, batch in enumerate(batches):
        size = sum(map(len, batch.bodies))
        if len(batch.bodies) <= most and size <= room:
            most, room = most - len(batch.bodies), room - size
            first.append(batch)
            empty = empty and not batch.bodies
            continue
        rest = list(batches[place:])
        fitting = max(_fitting(batch.bodies, most, room), int(empty))
        if fitting == len(batch.bodies):
            first.append(rest.pop(0))
        elif fitting:
            head, rest[0] = divided(batch, fitting)
            first.append(head)
        return first, rest
    return first, []


def _fitting(bodies: Sequence[bytes], most: int, room: int) -> int:
    """How many of the first bodies are at most so many, and have room."""
    for count, body in enumerate(bodies):
        room -= len(body)
        if count >= most or room < 0:
            return count
    return len(bodies)
