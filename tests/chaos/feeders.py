"""Who sends records to the server: over HTTP, again and again until answered; or to topics, once each."""

from __future__ import annotations

import http.client
import queue
import threading
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from .course import Sent

if TYPE_CHECKING:
    from confluent_kafka import Producer

__all__ = ["HttpFeeder", "KafkaFeeder"]

_ANSWERED = (202, 422)
_SENDERS = 6


class HttpFeeder:
    """Sends chunks of records of one source as NDJSON, on a few connections, each again until it is answered.

    `attempts` counts how often each body may have been taken in; `answered` how many chunks were.
    """

    def __init__(self, port: int, random: Random) -> None:
        self._port = port
        self._random = random
        self._chunks: queue.Queue[tuple[str, tuple[bytes, ...]] | None] = queue.Queue()
        self._lock = threading.Condition()
        self._stopped = threading.Event()
        self.attempts: Counter[tuple[str, bytes]] = Counter()
        self.answered = 0
        self.given = 0
        self.resent = 0
        self.strange: list[str] = []
        self._senders = [threading.Thread(target=self._send_all, daemon=True) for _ in range(_SENDERS)]
        for sender in self._senders:
            sender.start()

    def give(self, segment: Sequence[Sent]) -> int:
        """Have a segment sent; how many chunks it makes."""
        left = list(segment)
        chunks = 0
        while left:
            size = self._random.randrange(1, 120)
            for source in dict.fromkeys(sent.source for sent in left[:size]):
                self._chunks.put((source, tuple(sent.body for sent in left[:size] if sent.source == source)))
                chunks += 1
            left = left[size:]
        self.given += chunks
        return chunks

    def wait(self, answered: int, within: float) -> bool:
        """Wait until so many chunks have been answered in all."""
        with self._lock:
            return self._lock.wait_for(lambda: self.answered >= answered, within)

    def close(self) -> None:
        self._stopped.set()
        for _ in self._senders:
            self._chunks.put(None)
        for sender in self._senders:
            sender.join(30)

    def _send_all(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while (chunk := self._chunks.get()) is not None:
            source, bodies = chunk
            while not self._stopped.is_set():
                connection = connection or http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
                if self._sent(connection, source, bodies):
                    break
                connection.close()
                connection = None
                self.resent += 1
                time.sleep(0.05)
        if connection is not None:
            connection.close()

    def _sent(self, connection: http.client.HTTPConnection, source: str, bodies: tuple[bytes, ...]) -> bool:
        with self._lock:
            self.attempts.update((source, body) for body in bodies)
        try:
            connection.request("POST", f"/ingest/{source}", b"\n".join(bodies), {"Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            return False
        if answer.status not in _ANSWERED:
            if answer.status not in (503, 504):
                self.strange.append(f"{answer.status}: {text[:300]!r}")
            return False
        with self._lock:
            self.answered += 1
            self._lock.notify_all()
        return True


class KafkaFeeder:
    """Sends each record once, to the topic of its source, partitioned by its key."""

    def __init__(self, producer: Producer, topics: dict[str, str]) -> None:
        self._producer = producer
        self._topics = topics
        self._failed: list[str] = []

    def give(self, segment: Sequence[Sent]) -> None:
        for sent in segment:
            self._producer.produce(self._topics[sent.source], sent.body, sent.key, on_delivery=self._told)
            self._producer.poll(0)

    def close(self) -> None:
        """Raises RuntimeError where the broker did not take everything."""
        left = self._producer.flush(60)
        if left or self._failed:
            raise RuntimeError(f"{left} records were not sent; {self._failed[:3]}")

    def _told(self, error: object, _message: object) -> None:
        if error is not None:
            self._failed.append(str(error))
