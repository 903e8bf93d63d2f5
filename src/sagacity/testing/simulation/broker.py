"""A broker: topics as logs that keep what was published, for everyone to read from where they stand.

It promises less than Kafka does: messages may come twice, much later, and, where a scenario says so, out of order.
"""

from __future__ import annotations

from random import Random

from sagacity.messaging import Envelope, Message
from sagacity.testing.simulation.scenario import SECOND, Faults

__all__ = ["Broker", "UnpublishedError"]


class UnpublishedError(Exception):
    """It is not certain that a message was kept."""


class Broker:
    """What has been published, by topic, each message with the time from which it can be read."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.faults = Faults()
        self.logs: dict[str, list[tuple[int, Envelope]]] = {}
        self.read: dict[str, int] = {}

    def publish(self, message: Message, now: int) -> None:
        """Keep a message. Raises UnpublishedError where that is not certain: it may have been kept, or not."""
        uncertain = self._happens(self.faults.lose)
        if uncertain and self._chance.random() < 0.5:
            raise UnpublishedError
        self.keep(message, now)
        if self._happens(self.faults.duplicate):
            self.keep(message, now)
        if uncertain:
            raise UnpublishedError

    def double(self, now: int) -> str | None:
        """Publish something anew that was published before; the id of what it was."""
        topics = [topic for topic, log in self.logs.items() if log]
        if not topics:
            return None
        topic = self._chance.choice(topics)
        envelope = self._chance.choice(self.logs[topic])[1]
        self.keep(Message(topic, envelope), now)
        return f"{topic} {envelope.id}"

    def next(self, topic: str, position: int, now: int) -> Envelope | None:
        """The message at a position, None where there is none that can be read now."""
        log = self.logs.get(topic, ())
        if position >= len(log) or log[position][0] > now:
            return None
        self.read[topic] = max(self.read.get(topic, 0), position + 1)
        return log[position][1]

    def next_time(self, topic: str, position: int) -> int | None:
        """When the message at a position can be read, None where there is none."""
        log = self.logs.get(topic, ())
        return log[position][0] if position < len(log) else None

    def keep(self, message: Message, now: int) -> None:
        """Keep a message, for certain; at once, late, or out of order."""
        log = self.logs.setdefault(message.topic, [])
        late = (
            self._chance.randint(0, 90 * SECOND)
            if self._happens(self.faults.delay)
            else self._chance.randint(0, SECOND // 20)
        )
        entry = (now + late, message.envelope)
        unread = self.read.get(message.topic, 0)
        if unread < len(log) and self._happens(self.faults.reorder):
            log.insert(self._chance.randint(unread, len(log)), entry)
        else:
            log.append(entry)

    def _happens(self, rate: float) -> bool:
        return rate > 0 and self._chance.random() < rate
