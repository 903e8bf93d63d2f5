"""Records from Apache Kafka, and from whatever speaks its protocol. The only package that imports `confluent_kafka`.

    stream.py      KafkaStream: reads every partition from the ledger's positions
    routes.py      which topic is read for which sources
    scout.py       looks, on a thread of its own, which topics and partitions there are
    partition.py   how far one partition has been read, and what is wrong with it
    health.py      what the client's statistics tell of brokers and partitions
    settings.py    how the client is set up, and its complaints as errors that say how to mend them

Raises UsageError on import where the extra `kafka` is not installed.
"""

from __future__ import annotations

from importlib.util import find_spec

from sagacity.errors import UsageError

if find_spec("confluent_kafka") is None:
    raise UsageError(
        "reading from Kafka needs the package confluent-kafka", hint="pip install '.[kafka]' in a clone of Sagacity"
    )

from sagacity.sources.kafka.stream import KafkaStream

__all__ = ["KafkaStream"]
