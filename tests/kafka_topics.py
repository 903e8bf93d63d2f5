"""Topics of a test's own on the broker, what is sent to them, and streams that are polled until something holds."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from sagacity.sources.kafka import KafkaStream
from sagacity.sources.stream import Batch, Part, Reach
from sagacity.testing.servers.kafka import Broker

__all__ = ["Taken", "Topics", "poll_until"]

_LIMIT = 120.0


class Topics:
    """Makes topics, and sends to them. Names begin with something that no other test has."""

    def __init__(self, broker: Broker) -> None:
        self.servers = broker.servers
        self.prefix = f"t{uuid.uuid4().hex[:8]}"
        quiet: dict[str, str | int | float | bool] = {"bootstrap.servers": self.servers, "log_level": 0}
        self.admin = AdminClient(quiet)
        self._sending = {**quiet, "linger.ms": 5}

    def make(self, name: str, partitions: int = 1, **config: str) -> str:
        topic = f"{self.prefix}.{name}"
        self.admin.create_topics([NewTopic(topic, partitions, 1, config=config)])[topic].result(30)
        return topic

    def delete(self, topic: str) -> None:
        self.admin.delete_topics([topic])[topic].result(30)
        limit = time.monotonic() + _LIMIT
        while topic in self.admin.list_topics(timeout=60).topics:
            assert time.monotonic() < limit

    def widen(self, topic: str, partitions: int) -> None:
        self.admin.create_partitions([NewPartitions(topic, partitions)])[topic].result(30)

    def forget(self, topic: str, before: int) -> None:
        """What retention does: records before this offset are gone."""
        self.admin.delete_records([TopicPartition(topic, 0, before)])
        limit = time.monotonic() + _LIMIT
        stream = KafkaStream(self.servers, {"look": [topic]})
        try:
            while stream._consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=60)[0] != before:
                assert time.monotonic() < limit
        finally:
            stream.close()

    def send(
        self,
        topic: str,
        values: Iterable[bytes | None],
        *,
        partition: int = 0,
        key: bytes | None = None,
        headers: Sequence[tuple[str, str | bytes | None]] = (),
    ) -> None:
        producer = Producer(self._sending)  # a new one knows nothing of what the topic was before
        for value in values:
            producer.produce(topic, value, key, partition, headers=list(headers))
            producer.poll(0)
        assert producer.flush(60) == 0

    def stream(self, topics: Mapping[str, list[str]], **options: object) -> KafkaStream:
        options = {"look_every": 0.2, **options}
        return KafkaStream(self.servers, topics, **options)  # type: ignore[arg-type]


class Taken:
    """What a stream has given, as a ledger would keep it: the records of each part, and where to read on."""

    def __init__(self) -> None:
        self.bodies: defaultdict[Part, list[bytes]] = defaultdict(list)
        self.offsets: defaultdict[Part, list[int]] = defaultdict(list)
        self.positions: dict[Part, int] = {}
        self.reaches: list[Reach] = []

    def keep(self, batches: Iterable[Batch]) -> None:
        for batch in batches:
            part = (batch.source, batch.part)
            assert len(batch.bodies) == len(batch.positions)
            self.bodies[part] += batch.bodies
            self.offsets[part] += batch.positions
            assert batch.resume is not None
            self.positions[part] = batch.resume

    def of(self, source: str) -> list[bytes]:
        """The records of a source, part by part."""
        return [body for (name, _), bodies in sorted(self.bodies.items()) if name == source for body in bodies]

    @property
    def states(self) -> set[str]:
        return {reach.state for reach in self.reaches}

    @property
    def current(self) -> bool:
        return self.states == {"current"}


def poll_until(stream: KafkaStream, done: Callable[[Taken], bool], taken: Taken | None = None, most: int = 10_000) -> Taken:
    """Poll until it holds, at most for two minutes."""
    taken = taken or Taken()
    limit = time.monotonic() + _LIMIT
    while True:
        batches = stream.poll(most, 0.1)
        assert sum(len(batch.bodies) for batch in batches) <= most
        taken.keep(batches)
        taken.reaches = stream.reaches()
        if done(taken):
            return taken
        assert time.monotonic() < limit, f"still waiting: {taken.reaches}, {dict(taken.positions)}"
