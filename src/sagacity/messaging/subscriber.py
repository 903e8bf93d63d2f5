"""The subscriber port: messages in.

Guarantees, for every adapter:

- Deliveries of one partition come in the order of their offsets, each at least once to one of the members of a group.
- Nothing is acknowledged by being received. Positions are the receiver's to keep, in the same transaction as the effects
  of what it received: it is asked for them (`positions`) when it gets partitions, and reads on from there. A partition
  without a position is read from its beginning.
- A member that loses a partition, or was held up so long that another has taken it over, may still have deliveries of it
  in hand. Whoever keeps positions must therefore refuse to move one on that is no longer where it was left (a fenced
  write): the transaction fails as a whole and nothing is doubled. That a move is refused does not tell whose partition it
  is: also the answer to a commit may have been lost, or somebody who had lost the partition may have come first. So the
  receiver names such partitions (`again`); those that are still this member's are read from where they are now.
- What cannot be read as an envelope is delivered as `Unreadable`, never dropped and never raised.
- `receive` returns no more than it is asked for, so that what waits does so at the broker.
- A broker that is away is no error: `receive` returns nothing, `reach` says so, and the adapter tries again within bounds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

from sagacity.messaging.envelope import Envelope

__all__ = ["Delivery", "Partition", "Positions", "Subscriber", "Unreadable"]

Partition: TypeAlias = tuple[str, int]
"""A topic, and the number of one of its partitions."""

Positions: TypeAlias = "Callable[[Sequence[Partition]], Awaitable[Mapping[Partition, int]]]"
"""Asked when partitions are assigned, or named by `again`: the next offset to be read of each that has one."""


class Unreadable(msgspec.Struct, frozen=True):
    """What is no envelope: its bytes and headers as they came, and why it could not be read."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    reason: str


class Delivery(msgspec.Struct, frozen=True):
    """One message as it was received, and where it stood."""

    topic: str
    partition: int
    offset: int
    content: Envelope | Unreadable


class Subscriber(Protocol):
    """Where messages come in, as one member of a group."""

    async def receive(self, most: int, wait: float) -> Sequence[Delivery]:
        """What has come, at most so many; waits for the first at most `wait` seconds."""
        ...

    def again(self, partitions: Iterable[Partition]) -> None:
        """Ask anew where these are to be read from, and read on from there. Those that are not read now are left out."""
        ...

    def assigned(self) -> frozenset[Partition]:
        """What this member reads now."""
        ...

    def reach(self) -> str | None:
        """None while the broker can be reached; else why not, and how to mend it."""
        ...

    async def close(self) -> None:
        """Leave the group and let go of connections. May be called more than once."""
        ...
