"""A stream of records from Kafka."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, Message, TopicPartition

from sagacity.sources.envelope import KAFKA, Headers, Surroundings, carrying, is_binary, plain, record, surround
from sagacity.sources.kafka.gone import Gone
from sagacity.sources.kafka.health import leadership, read_statistics
from sagacity.sources.kafka.partition import Partition
from sagacity.sources.kafka.routes import Routes, topic_partition
from sagacity.sources.kafka.scout import Scout, Sight
from sagacity.sources.kafka.settings import advice, connect_admin, connect_consumer, redacted
from sagacity.sources.stream import Batch, Part, Reach, divided

__all__ = ["KafkaStream"]

_log = logging.getLogger("sagacity.sources.kafka")
_FIRST_LOOK = 5.0
_ASK_WITHIN = 3.0
_ASK_AGAIN = 1.0
_WARN_AGAIN = 60.0
_VANISHED = "there is no such topic any more; it is read again once it is back"
_GONE = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION)


class KafkaStream:
    """Reads every partition of the topics of each source, from the positions that it is started with.

    `topics` gives the topics of each source by name, or by pattern where they begin with `^`. Partitions are assigned by
    hand: one process reads them all, and no group divides them. Topics and partitions that come later are found within
    `look_every` seconds, and read from their beginning. `settings` are librdkafka's, for TLS, SASL and so on. With
    `surroundings` each record has an object `kafka` with topic, partition, offset, timestamp, key and headers.

    A topic that is not there is an error, but for the sources that are `assumed` to have one, and need not.

    A position that is gone is never passed over in silence. Where retention has passed it by, reading goes on from the
    earliest offset that is left; where the partition ends before it, or the topic was made anew, from the beginning. What
    was lost is logged as a warning, and stands in `reaches` for as long as the stream lives.

    `reaches` may be called from any thread. Raises UsageError for settings that the client turns down.
    """

    def __init__(
        self,
        servers: str,
        topics: Mapping[str, Sequence[str]],
        *,
        group: str = "sagacity",
        settings: Mapping[str, str] | None = None,
        assumed: Collection[str] = (),
        surroundings: bool = False,
        look_every: float = 5.0,
    ) -> None:
        self._routes = Routes(topics)
        self._assumed = frozenset(assumed)
        self._settings = dict(settings or {})
        self._surroundings = surroundings
        callbacks = {"error_cb": self._complained, "stats_cb": self._measured}
        self._consumer = connect_consumer(servers, group, self._settings, _log, callbacks)
        self._scout = Scout(lambda: connect_admin(servers, self._settings), self._routes, look_every)
        self._positions: Mapping[Part, int] = {}
        self._partitions: dict[tuple[str, int], Partition] = {}
        self._sight: Sight | None = None
        self._gone = Gone()
        self._left: deque[Batch] = deque()
        self._complaint: str | None = None
        self._warned: dict[str, float] = {}
        self._reaches: dict[tuple[str, int], list[Reach]] = {}
        self._said: tuple[Reach, ...] = self._unseen(Sight())
        self._closed = False

    def serve(
        self, topics: Mapping[str, Sequence[str]], *, assumed: Collection[str] = (), surroundings: bool = False
    ) -> None:
        """Read these topics too, from any thread: they are found within `look_every` seconds, and each source is given them
        from their beginning, also those which are read for others already."""
        self._assumed = self._assumed | frozenset(assumed)
        self._routes.add(topics)
        self._surroundings = self._surroundings or surroundings

    def start(self, positions: Mapping[Part, int]) -> None:
        """Find the partitions and read on. Waits a few seconds at most for brokers that are away."""
        self._positions = dict(positions)
        self._scout.start(_FIRST_LOOK)
        self._look()
        self._tell()

    def poll(self, most: int, wait: float) -> list[Batch]:
        if self._closed:
            return []
        self._look()
        if not self._left:
            self._recover()
            many = max(most // self._widest(), 1)
            messages = self._consumer.consume(many, 0)
            if not messages and wait > 0:
                messages = self._consumer.consume(1, wait)
                if messages and many > 1:
                    messages += self._consumer.consume(many - 1, 0)
            self._left.extend(self._batches(messages))
        self._tell()
        return self._share(most)

    def durable(self, batches: Sequence[Batch]) -> None:
        """Nobody waits: the ledger keeps the positions."""

    def reaches(self) -> list[Reach]:
        return list(self._said)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._scout.close()
            self._consumer.close()

    # Records --------------------------------------------------------------------------------------------------------

    def _widest(self) -> int:
        return max((len(partition.sources) for partition in self._partitions.values()), default=1)

    def _batches(self, messages: Sequence[Message]) -> list[Batch]:
        """Messages as records, in step with their partitions. What is no message is news of a partition."""
        taken: dict[tuple[str, int], tuple[list[bytes], list[int]]] = {}
        for message in messages:
            key: Any = (message.topic(), message.partition())
            error = message.error()
            if error is not None:
                self._heard(key, error, message)
                continue
            held = taken.get(key)
            if held is None:
                held = taken[key] = ([], [])
            held[0].append(self._record(message))
            held[1].append(message.offset() or 0)
        batches: list[Batch] = []
        for key, (bodies, offsets) in taken.items():
            partition = self._partitions.get(key)
            if partition is not None:
                _, end = self._consumer.get_watermark_offsets(TopicPartition(*key), cached=True)
                batches += partition.took(bodies, offsets, end if end >= 0 else None)
        return batches

    def _record(self, message: Message) -> bytes:
        value: bytes | None = message.value()
        try:
            headers: Any = message.headers()
        except UnicodeDecodeError:
            headers = None
        body = self._carrying(value, headers) if headers else plain(value)
        if not self._surroundings:
            return body
        kind, milliseconds = message.timestamp()
        return surround(
            body,
            Surroundings(
                topic=message.topic() or "",
                partition=message.partition() or 0,
                offset=message.offset() or 0,
                timestamp=milliseconds if kind else None,
                key=message.key(),
                headers=headers or (),
            ),
        )

    @staticmethod
    def _carrying(value: bytes | None, headers: Headers) -> bytes:
        return record(value, headers, KAFKA) if is_binary(headers, KAFKA) else carrying(plain(value), headers)

    def _share(self, most: int) -> list[Batch]:
        """What was asked for, of what is left; a batch that is too long for it is divided."""
        given: list[Batch] = []
        while self._left and most > 0:
            batch = self._left.popleft()
            if len(batch.bodies) > most:
                first, rest = divided(batch, most)
                self._left.appendleft(rest)
                batch = first
            most -= len(batch.bodies)
            given.append(batch)
        return given

    # Topics and partitions ------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Take up what the scout has found since."""
        sight = self._scout.sight
        if sight is None or sight is self._sight:
            return
        self._sight = sight
        if sight.error is not None:
            return
        fresh = []
        for topic, found in sight.topics.items():
            for number in range(found.partitions):
                partition = self._partitions.get((topic, number))
                if partition is None:
                    fresh.append(self._new(topic, number, found.identity))
                    continue
                sources = self._routes.sources(topic)
                if sources != partition.sources and partition.joined(sources, self._known(topic, number)):
                    self._assign_anew(partition)
                if found.identity and partition.identity and found.identity != partition.identity:
                    self._warn(partition, partition.remade(found.identity))
                    self._assign_anew(partition)
        if fresh:
            self._consumer.incremental_assign([_where(partition) for partition in fresh])
        for (topic, _), partition in self._partitions.items():
            if topic not in sight.topics:
                partition.refused(sight.refused.get(topic, _VANISHED))

    def _new(self, topic: str, number: int, identity: str) -> Partition:
        sources = self._routes.sources(topic)
        known = self._known(topic, number)
        partition = self._partitions[(topic, number)] = Partition(topic, number, sources, known, identity)
        return partition

    def _known(self, topic: str, number: int) -> dict[str, int]:
        """Where the ledger told at the start that each source reads on."""
        return {source: at for (source, part), at in self._positions.items() if topic_partition(part) == (topic, number)}

    def _assign_anew(self, partition: Partition) -> None:
        self._consumer.incremental_unassign([TopicPartition(partition.topic, partition.number)])
        self._consumer.incremental_assign([_where(partition)])

    def _recover(self) -> None:
        """Read partitions on whose position is gone; where the broker does not answer for one, ask again in a while."""
        while (key := self._gone.next(time.monotonic())) is not None:
            partition = self._partitions[key]
            try:
                low, high = self._consumer.get_watermark_offsets(TopicPartition(*key), timeout=_ASK_WITHIN)
            except KafkaException as error:
                partition.refused(advice(error.args[0]))
                self._gone.put_off(key, time.monotonic() + _ASK_AGAIN)
                continue
            self._gone.remove(key)
            self._warn(partition, partition.restart(low, high))
            self._assign_anew(partition)

    def _warn(self, partition: Partition, lost: str) -> None:
        _log.warning("%s: %s", partition.part, lost)

    # News -----------------------------------------------------------------------------------------------------------

    def _heard(self, key: tuple[str, int], error: KafkaError, message: Message) -> None:
        partition = self._partitions.get(key)
        if partition is None:
            return
        if error.code() == KafkaError._PARTITION_EOF:
            partition.reached_end(message.offset() or 0)
        elif error.code() in _GONE:
            self._gone.add(key)
            partition.refused(advice(error))
        else:
            partition.refused(advice(error))

    def _complained(self, error: KafkaError) -> None:
        complaint = self._complaint = redacted(advice(error), self._settings)
        now = time.monotonic()
        if now - self._warned.get(complaint, -_WARN_AGAIN) >= _WARN_AGAIN:
            self._warned[complaint] = now
            _log.warning("Kafka's client: %s", complaint)

    def _measured(self, statistics: str) -> None:
        for key, standing in leadership(read_statistics(statistics)).items():
            partition = self._partitions.get(key)
            if partition is not None:
                partition.looked(standing, self._complaint)

    def _tell(self) -> None:
        changed = [(key, partition) for key, partition in self._partitions.items() if partition.changed]
        for key, partition in changed:
            self._reaches[key] = partition.reaches()
        unseen = self._unseen(self._sight or Sight())
        self._said = (*(reach for reaches in self._reaches.values() for reach in reaches), *unseen)

    def _unseen(self, sight: Sight) -> tuple[Reach, ...]:
        """What was asked for and is not there: a topic by name, or whatever a pattern may match, before the first look."""
        topics = {topic for topic, _ in self._partitions}
        unseen = []
        for source, text in self._routes.given:
            pattern = text.startswith("^")
            if (not pattern and text in topics) or (
                pattern and any(source in self._routes.sources(each) for each in topics)
            ):
                continue
            error = sight.error or sight.refused.get(text)
            if error is None and self._sight is None:
                unseen.append(Reach(source=source, part=text, state="behind"))
            elif error is None and (pattern or source in self._assumed):
                lacks = "no topic matches this pattern yet" if pattern else "there is no such topic yet"
                unseen.append(Reach(source=source, part=text, state="current", lag=0, error=lacks))
            else:
                missing = "there is no such topic; check its name, and that this user may describe it"
                unseen.append(Reach(source=source, part=text, state="down", error=error or missing))
        return tuple(unseen)


def _where(partition: Partition) -> TopicPartition:
    at = OFFSET_BEGINNING if partition.position is None else partition.position
    return TopicPartition(partition.topic, partition.number, at)
