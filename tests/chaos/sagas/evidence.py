"""What a campaign leaves, read from outside: every message from the broker, every row from the databases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from saga_logs import Log, record
from sagacity.messaging import Envelope
from sagacity.messaging.wire import decode
from sagacity.saga.state import SagaState
from sagacity.saga.state import decode as decode_state

from .fleet import TOPICS, Fleet
from .shop import DEAD, EVENTS, PARTICIPANTS, PURCHASES, REPLIES

__all__ = ["Evidence", "gathered", "progress", "states"]

_READ_WITHIN = 300.0


class Evidence(msgspec.Struct):
    """`log` is what the generated workflow reads. `sent` counts messages by topic, `dead` dead letters by consumer with the
    reason, `waiting` messages left in outboxes, `started` the ids of sagas that were asked for."""

    sagas: dict[str, SagaState]
    log: Log
    sent: dict[str, int]
    traces: dict[str, set[str | None]]
    dead: list[str]
    waiting: dict[str, int]
    started: set[str]


class Progress(msgspec.Struct, frozen=True):
    """How many sagas there are, by status; and how many messages wait in outboxes."""

    statuses: dict[str, int]
    outbox: int

    @property
    def there(self) -> int:
        return sum(self.statuses.values())

    @property
    def ended(self) -> int:
        return self.statuses.get("completed", 0) + self.statuses.get("compensated", 0)


def progress(fleet: Fleet) -> Progress | None:
    """How it goes; None while the database does not say."""
    try:
        with psycopg.connect(fleet.setup.databases["sagas"], connect_timeout=5) as connection:
            rows = connection.execute("select status, count(*) from sagacity.sagas group by status").fetchall()
            waiting = connection.execute("select count(*) from sagacity.outbox").fetchone()
    except psycopg.OperationalError:
        return None
    return Progress(dict(rows), 0 if waiting is None else waiting[0])


def states(fleet: Fleet) -> dict[str, SagaState]:
    """Every saga as it is kept, by id."""
    with psycopg.connect(fleet.setup.databases["sagas"]) as connection:
        rows = connection.execute("select state from sagacity.sagas").fetchall()
    return {saga.id: saga for saga in (decode_state(state) for (state,) in rows)}


def gathered(fleet: Fleet) -> Evidence:
    """Everything, once nothing goes on any more."""
    found = Evidence(
        states(fleet), {"saga-events": [], "commands": [], "replies": []}, dict.fromkeys(TOPICS, 0), {}, [], {}, set()
    )
    for name, dsn in fleet.setup.databases.items():
        with psycopg.connect(dsn) as connection:
            letters = connection.execute("select consumer, reason from sagacity.dead_letters").fetchall()
            found.dead += [f"{consumer}: {reason}" for consumer, reason in letters]
            waiting = connection.execute("select count(*) from sagacity.outbox").fetchone()
            found.waiting[name] = 0 if waiting is None else waiting[0]
            if name != "sagas":
                rows = connection.execute("select row, saga, step, action, at from effects order by row").fetchall()
                found.log[name] = [
                    {"row": str(row), "saga": saga, "step": step, "action": action, "at": at.isoformat()}
                    for row, saga, step, action, at in rows
                ]
    sources = {EVENTS: "saga-events", REPLIES: "replies", **dict.fromkeys(PARTICIPANTS, "commands")}
    for topic, envelope in _messages(fleet):
        found.sent[topic] += 1
        if topic == PURCHASES:
            found.started.add(envelope.key)
        elif topic != DEAD:
            found.log[sources[topic]].append(record(envelope))
            found.traces.setdefault(envelope.key, set()).add(envelope.traceparent)
    return found


def _raw(message: Any) -> tuple[bytes | None, list[tuple[str, bytes]], bytes | None]:
    return message.key(), message.headers() or [], message.value()


def _messages(fleet: Fleet) -> Iterator[tuple[str, Envelope]]:
    """All that the broker keeps, topic by topic."""
    consumer = Consumer({"bootstrap.servers": fleet.broker.servers, "group.id": "evidence", "enable.auto.commit": False})
    try:
        left = {}
        for topic, many in TOPICS.items():
            for number in range(many):
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30)
                if high > low:
                    left[topic, number] = high
        consumer.assign([TopicPartition(*each, OFFSET_BEGINNING) for each in left])
        limit = time.monotonic() + _READ_WITHIN
        while left:
            if time.monotonic() > limit:
                raise RuntimeError(f"the broker does not give what it has: {left}")
            for message in consumer.consume(2_000, 1.0):
                topic, number, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
                if message.error() is not None:
                    continue
                if offset + 1 >= left.get((topic, number), 0):
                    left.pop((topic, number), None)
                key, headers, value = _raw(message)
                envelope = decode(key, headers, value, 0)
                if not isinstance(envelope, Envelope):
                    raise RuntimeError(f"{topic} has what is no envelope: {envelope.reason}")
                yield topic, envelope
    finally:
        consumer.close()
