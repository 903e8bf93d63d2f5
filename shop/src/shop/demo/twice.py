"""Delivers an event of the shop a second time, as a broker or a careless producer does."""

from __future__ import annotations

import time
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from shop.contracts import topics

__all__ = ["delivered_again"]

_TIMEOUT = 20.0


def delivered_again(servers: str) -> int:
    """Publish the newest domain event of some partition again, byte for byte; how many were. Raises KafkaException."""
    quiet = {"bootstrap.servers": servers, "log_level": 0}
    consumer = Consumer({**quiet, "group.id": "demo", "enable.auto.commit": False})
    try:
        message = _newest(consumer)
    finally:
        consumer.close()
    if message is None:
        return 0
    producer = Producer(quiet)
    failed: list[Any] = []
    producer.produce(
        topics.SHOP_EVENTS,
        message.value(),
        message.key(),
        headers=message.headers() or [],
        on_delivery=lambda error, _: failed.append(error) if error else None,
    )
    if producer.flush(_TIMEOUT) or failed:
        raise KafkaException(failed[0] if failed else "the event could not be delivered again")
    return 1


def _newest(consumer: Any) -> Any:
    partitions = consumer.list_topics(topics.SHOP_EVENTS, timeout=_TIMEOUT).topics[topics.SHOP_EVENTS].partitions
    for partition in partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topics.SHOP_EVENTS, partition), timeout=_TIMEOUT)
        if high == low:
            continue
        consumer.assign([TopicPartition(topics.SHOP_EVENTS, partition, high - 1)])
        limit = time.monotonic() + _TIMEOUT
        while time.monotonic() < limit:
            message = consumer.poll(0.5)
            if message is not None and message.error() is None:
                return message
    return None
