"""How far a receiver has come in each partition, so that nothing is done twice and positions are moved on fenced. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sagacity.messaging.subscriber import Delivery, Partition

__all__ = ["Reading"]


class Reading:
    """What a receiver knows of the partitions that it reads.

    A partition is known from when its position was asked for (`begin`), until a fenced write has failed (`fenced`): then
    somebody else reads it, or did, and whatever still comes of it is left alone until it is asked for again. Those that a
    subscriber still reads (`lost`) must be, or they would stay so for good.
    """

    def __init__(self) -> None:
        self._at: dict[Partition, int | None] = {}
        self._lost: set[Partition] = set()

    def begin(self, partitions: Sequence[Partition], known: Mapping[Partition, int]) -> None:
        """These are read from here on."""
        self._at.update({partition: known.get(partition) for partition in partitions})
        self._lost.difference_update(partitions)

    def fresh(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """Those of the deliveries that have not been done yet, as far as this receiver knows."""
        return [
            each
            for each in deliveries
            if (each.topic, each.partition) in self._at and each.offset >= (self._at[(each.topic, each.partition)] or 0)
        ]

    def moves(self, deliveries: Iterable[Delivery]) -> dict[Partition, tuple[int | None, int]]:
        """For each partition of these: where its position was left, and where it is once they are done."""
        ends: dict[Partition, int] = {}
        for each in deliveries:
            partition = (each.topic, each.partition)
            ends[partition] = max(ends.get(partition, 0), each.offset + 1)
        return {partition: (self._at[partition], end) for partition, end in ends.items()}

    def moved(self, moves: Mapping[Partition, tuple[int | None, int]]) -> None:
        """These moves have been committed."""
        self._at.update({partition: at for partition, (_, at) in moves.items()})

    def fenced(self, moves: Mapping[Partition, tuple[int | None, int]]) -> None:
        """One of these moves was refused."""
        for partition in moves:
            self._at.pop(partition, None)
        self._lost.update(moves)

    def lost(self, assigned: frozenset[Partition]) -> frozenset[Partition]:
        """Those of the partitions assigned that are left alone since a move of theirs was refused, and must be asked for."""
        return assigned & self._lost
