"""Faults as decorators on the messaging ports: a publisher or subscriber that does what the real one does when all goes
wrong.

    publisher = Failing(Duplicating(real, rate=0.1, seed=7), rate=0.05, seed=7)

All that happens by chance is drawn from the seed, so that a test that fails fails again. Nothing waits: what is delayed is
delayed by so many calls. `Failing`, `Redelivering` and `Stalling` keep what the ports promise; a service must bear them
in earnest. `Duplicating` and `Delaying` are what a relay and a slow network do. `Dropping` and `Reordering` break the
promises: they show what a service relies on.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from random import Random

from sagacity.errors import PublishError
from sagacity.messaging import Delivery, Message, Partition, Publisher, Subscriber

__all__ = ["Delaying", "Dropping", "Duplicating", "Failing", "Redelivering", "Reordering", "Stalling"]

_REMEMBERED = 100


class _Faulty:
    """A publisher around another. `rate`, from 0 to 1, is how often the fault occurs."""

    def __init__(self, inner: Publisher, *, rate: float, seed: int = 0) -> None:
        self._inner = inner
        self._rate = rate
        self._chance = Random(f"{type(self).__name__} {seed}")

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish what the fault leaves of the messages."""
        await self._inner.publish(messages)

    async def close(self) -> None:
        """Close the publisher within."""
        await self._inner.close()

    def _happens(self) -> bool:
        return self._chance.random() < self._rate


class Dropping(_Faulty):
    """Some messages are never published, and nobody is told."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish all but some."""
        await self._inner.publish([message for message in messages if not self._happens()])


class Duplicating(_Faulty):
    """Some messages are published twice: as a relay does that dies before it has noted what it published."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish all, and some again."""
        await self._inner.publish([each for message in messages for each in [message] * (2 if self._happens() else 1)])


class Reordering(_Faulty):
    """The messages of some calls are published in another order, also those of one key."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish all, in some order."""
        shuffled = list(messages)
        if self._happens():
            self._chance.shuffle(shuffled)
        await self._inner.publish(shuffled)


class Delaying(_Faulty):
    """Some messages, and all of the same topic and key after them, are published with a later call, or when it is closed."""

    def __init__(self, inner: Publisher, *, rate: float, seed: int = 0, calls: int = 3) -> None:
        super().__init__(inner, rate=rate, seed=seed)
        self._calls = calls
        self._number = 0
        self._held: dict[tuple[str, str], tuple[int, list[Message]]] = {}

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish what is due, and hold some back."""
        self._number += 1
        going: list[Message] = []
        for key in [key for key, (until, _) in self._held.items() if until <= self._number]:
            going += self._held.pop(key)[1]
        for message in messages:
            key = (message.topic, message.envelope.key)
            if key in self._held:
                self._held[key][1].append(message)
            elif self._happens():
                self._held[key] = (self._number + self._chance.randint(1, self._calls), [message])
            else:
                going.append(message)
        await self._inner.publish(going)

    async def close(self) -> None:
        """Publish all that is held back, and close the publisher within."""
        held, self._held = self._held, {}
        await self._inner.publish([message for _, messages in held.values() for message in messages])
        await self._inner.close()


class Failing(_Faulty):
    """Some calls fail with PublishError when a part of the messages is kept; the first of those that it names may be,
    too."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish all, or fail as the port allows."""
        if not messages or not self._happens():
            await self._inner.publish(messages)
            return
        kept = self._chance.randrange(len(messages))
        uncertain = messages[kept:]
        await self._inner.publish(messages[: kept + self._chance.randint(0, 1)])
        raise PublishError("a fault for tests: the broker did not answer", uncertain, hint="publish these again")


class Redelivering:
    """A subscriber whose partitions are, at times, read again from an earlier position, as after a crash or a rebalance."""

    def __init__(self, inner: Subscriber, *, rate: float, seed: int = 0) -> None:
        self._inner = inner
        self._rate = rate
        self._chance = Random(f"Redelivering {seed}")
        self._had: dict[Partition, deque[Delivery]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))

    async def receive(self, most: int, wait: float) -> Sequence[Delivery]:
        """What has come; or what of one partition had come last, again and in its order."""
        again = [partition for partition, had in self._had.items() if had and partition in self._inner.assigned()]
        if again and self._chance.random() < self._rate:
            had = self._had[self._chance.choice(again)]
            return list(had)[-self._chance.randint(1, min(most, len(had))) :]
        deliveries = await self._inner.receive(most, wait)
        for delivery in deliveries:
            self._had[delivery.topic, delivery.partition].append(delivery)
        return deliveries

    def again(self, partitions: Iterable[Partition]) -> None:
        """Have these asked for again."""
        self._inner.again(partitions)

    def assigned(self) -> frozenset[Partition]:
        """What is read now."""
        return self._inner.assigned()

    def reach(self) -> str | None:
        """Whether the broker can be reached."""
        return self._inner.reach()

    async def close(self) -> None:
        """Close the subscriber within."""
        await self._inner.close()


class Stalling:
    """A subscriber whose broker is, at times, away: it receives nothing, and says why."""

    def __init__(self, inner: Subscriber, *, rate: float, seed: int = 0) -> None:
        self._inner = inner
        self._rate = rate
        self._chance = Random(f"Stalling {seed}")
        self._away = False

    async def receive(self, most: int, wait: float) -> Sequence[Delivery]:
        """What has come; or nothing, at once."""
        self._away = self._chance.random() < self._rate
        return () if self._away else await self._inner.receive(most, wait)

    def again(self, partitions: Iterable[Partition]) -> None:
        """Have these asked for again."""
        self._inner.again(partitions)

    def assigned(self) -> frozenset[Partition]:
        """What is read now."""
        return self._inner.assigned()

    def reach(self) -> str | None:
        """Whether the broker can be reached."""
        return "a fault for tests: the broker is away" if self._away else self._inner.reach()

    async def close(self) -> None:
        """Close the subscriber within."""
        await self._inner.close()
