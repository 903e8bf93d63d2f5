"""A consumer as Kafka's client library makes them, told by the test what comes and when partitions come and go."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import TopicPartition

from sagacity.messaging import Envelope, Partition
from sagacity.messaging.wire import encode

__all__ = ["FakeConsumer", "Kept"]


class Kept:
    """A message as the client library gives it: number so and so of a partition."""

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        envelope = Envelope(id=f"{partition}/{offset}", type="t", source="s", time=0, key="k")
        self._wire = encode(envelope)
        self._place = (topic, partition, offset)

    def topic(self) -> str:
        return self._place[0]

    def partition(self) -> int:
        return self._place[1]

    def offset(self) -> int:
        return self._place[2]

    def key(self) -> Any:
        return self._wire.key

    def value(self) -> Any:
        return self._wire.value

    def headers(self) -> Any:
        return list(self._wire.headers)

    def timestamp(self) -> tuple[int, int]:
        return (1, 0)

    def error(self) -> None:
        return None


class FakeConsumer:
    """Each call of `consume` takes the next of `script`: partitions that are given, and messages. Once all has been taken,
    it reads on, one message at a time, in the partitions that are assigned, up to so many (`until`) in each."""

    def __init__(self, script: Sequence[tuple[Sequence[Partition], Sequence[Kept]]] = (), until: int = 0) -> None:
        self.assigned: dict[Partition, int] = {}
        self._script = deque(script)
        self._until = until
        self._given: Callable[[object, list[TopicPartition]], None] | None = None

    def __call__(self, _settings: Mapping[str, object]) -> FakeConsumer:
        return self

    def subscribe(self, _topics: object, *, on_assign: Any, on_revoke: object, on_lost: object) -> None:
        del on_revoke, on_lost
        self._given = on_assign

    def consume(self, _most: int, wait: float) -> list[Kept]:
        if self._script and wait:
            given, kept = self._script.popleft()
            if given and self._given is not None:
                self._given(self, [TopicPartition(*each) for each in given])
            return list(kept)
        for (topic, partition), offset in self.assigned.items():
            if not self._script and offset < self._until:
                self.assigned[topic, partition] = offset + 1
                return [Kept(topic, partition, offset)]
        return []

    def incremental_assign(self, places: Sequence[TopicPartition]) -> None:
        self.assigned.update({(each.topic, each.partition): max(each.offset, 0) for each in places})

    def incremental_unassign(self, places: Sequence[TopicPartition]) -> None:
        for each in places:
            del self.assigned[each.topic, each.partition]

    def close(self) -> None:
        self.assigned.clear()
