"""What was published, read from the topics, and what `sagacity check` finds in it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

import sagacity
from sagacity.reconcile.result import Finding
from sagacity.sources.envelope import KAFKA, record
from sagacity.workflow.language.reader import load

__all__ = ["Published"]

_WITHIN = 120.0
_TIMEOUT = 30.0


class Published:
    """Every message of the workflow's topics, as files in a folder: one for each source."""

    def __init__(self, servers: str, workflow: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.messages = 0
        self._workflow = workflow
        self._files = {}
        for name, source in load(workflow).sources.items():
            self._files[name] = folder / f"{name}.jsonl"
            with self._files[name].open("wb") as out:
                for message in _messages(servers, source.topics):
                    out.write(record(message.value() or b"", message.headers() or [], KAFKA) + b"\n")
                    self.messages += 1

    def found(self, as_of: str) -> list[Finding]:
        """What `sagacity check` finds, as of an instant."""
        return list(sagacity.check(self._workflow, self._files, as_of=as_of).findings)


def _messages(servers: str, topics: Sequence[str]) -> Iterator[Any]:
    """All that the broker keeps of these. Raises RuntimeError where it does not give it."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "looking", "enable.auto.commit": False})
    try:
        ends = {}
        for topic in topics:
            for partition in consumer.list_topics(topic, _TIMEOUT).topics[topic].partitions:
                _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_TIMEOUT)
                if end:
                    ends[topic, partition] = end
        consumer.assign([TopicPartition(*each, OFFSET_BEGINNING) for each in ends])
        limit = time.monotonic() + _WITHIN
        while ends:
            if time.monotonic() > limit:
                raise RuntimeError(f"the broker does not give what it has: {ends}")
            for message in consumer.consume(2_000, 0.5):
                if message.error() is not None:
                    continue
                yield message
                topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
                if offset + 1 >= ends.get((topic, partition), 0):
                    ends.pop((topic, partition), None)
    finally:
        consumer.close()
