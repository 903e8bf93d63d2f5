"""A topic as a test looks at it: every message from its beginning on."""

from __future__ import annotations

from typing import Any

from confluent_kafka import Consumer, TopicPartition

__all__ = ["TopicLog"]

_WITHIN = 60.0


class TopicLog:
    """A topic, read from its beginning, and on."""

    def __init__(self, servers: str, topic: str) -> None:
        quick = {"fetch.wait.max.ms": 20, "enable.auto.commit": False}
        self._topic = topic
        self._consumer = Consumer({"bootstrap.servers": servers, "group.id": "looking", **quick})
        partitions = self._consumer.list_topics(topic, _WITHIN).topics[topic].partitions
        self._at = dict.fromkeys(partitions, 0)
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        self._read: list[tuple[bytes, Any, bytes]] = []

    def ends(self) -> dict[int, int]:
        """Where each partition ends now."""
        return {
            each: self._consumer.get_watermark_offsets(TopicPartition(self._topic, each), _WITHIN)[1] for each in self._at
        }

    def read(self) -> list[tuple[bytes, Any, bytes]]:
        """Every message up to now: key, headers and value."""
        ends = self.ends()
        while any(self._at[partition] < end for partition, end in ends.items()):
            message: Any = self._consumer.poll(_WITHIN)
            assert message is not None
            assert message.error() is None
            self._at[message.partition()] = message.offset() + 1
            self._read.append((message.key() or b"", message.headers() or [], message.value() or b""))
        return list(self._read)

    def close(self) -> None:
        self._consumer.close()
