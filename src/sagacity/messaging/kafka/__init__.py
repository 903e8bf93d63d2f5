"""Messages over Apache Kafka, and whatever speaks its protocol: librdkafka, with every wait on a thread of its own.

    publisher.py     KafkaPublisher: idempotent, acknowledged by all replicas in sync
    subscriber.py    KafkaSubscriber: a member of a group, with positions that are the receiver's
    settings.py      how the clients are set up, and their complaints as errors that say how to mend them

Raises UsageError on import where the extra `kafka` is not installed.
"""

from __future__ import annotations

from importlib.util import find_spec

from sagacity.errors import UsageError

if find_spec("confluent_kafka") is None:
    raise UsageError(
        "messages over Kafka need the package confluent-kafka", hint="pip install '.[kafka]' in a clone of Sagacity"
    )

from sagacity.messaging.kafka.publisher import KafkaPublisher
from sagacity.messaging.kafka.subscriber import KafkaSubscriber

__all__ = ["KafkaPublisher", "KafkaSubscriber"]
