"""How the client is set up, and what it says where that makes no sense."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from sagacity.errors import UsageError

__all__ = ["advice", "connect_admin", "connect_consumer", "redacted"]

_OWN = {
    "auto.offset.reset": "a position that is gone is reported, and read on from the earliest that is left",
    "enable.auto.commit": "positions are kept in the ledger, with the records",
    "enable.auto.offset.store": "positions are kept in the ledger, with the records",
    "enable.partition.eof": "it tells what is current",
    "statistics.interval.ms": "it tells what is down",
    "bootstrap.servers": "give the servers",
    "group.id": "give the group",
}
_FIXED: dict[str, object] = {
    "auto.offset.reset": "error",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "statistics.interval.ms": 500,
}
_DEFAULTS: dict[str, object] = {
    "client.id": "sagacity",
    "queued.max.messages.kbytes": 65_536,
    "fetch.queue.backoff.ms": 20,
    "fetch.wait.max.ms": 250,
    "reconnect.backoff.max.ms": 2000,
    "socket.connection.setup.timeout.ms": 10_000,
    "topic.metadata.refresh.interval.ms": 30_000,
    "log.connection.close": False,
    "log_level": 2,
}
"""At most so many kilobytes wait in the client, whatever the number of partitions. What it would log of each attempt to
connect comes as an error of the client too, and is said once."""
_CONSUMER_ONLY = ("queued.", "fetch.", "auto.", "enable.partition", "enable.auto", "group.", "isolation.", "check.crcs")

_SECRET = re.compile(r"password|secret|\.pem|token|jaas|oauthbearer\.config|username", re.IGNORECASE)
_MOMENT = re.compile(r" \((after \d+ms|(\d+ )?identical)[^()]*\)")
"""What is another thing each time the same thing goes wrong."""
_ADVICE = {
    KafkaError._TRANSPORT: "check the servers' addresses, that they listen, and that no firewall is between",
    KafkaError._ALL_BROKERS_DOWN: "check the servers' addresses, that they listen, and that no firewall is between",
    KafkaError._TIMED_OUT: "check the servers' addresses, and whether they ask for TLS (security.protocol)",
    KafkaError._RESOLVE: "check the servers' names, those that the brokers advertise (advertised.listeners) included",
    KafkaError._AUTHENTICATION: "check sasl.mechanism, sasl.username and sasl.password",
    KafkaError.SASL_AUTHENTICATION_FAILED: "check sasl.mechanism, sasl.username and sasl.password",
    KafkaError._SSL: "check security.protocol, ssl.ca.location and the certificates",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "grant Read and Describe on the topic to this user",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "grant Read on the group to this user, or name another group",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "check the topic's name, and that this user may describe it",
    KafkaError._UNKNOWN_TOPIC: "check the topic's name, and that this user may describe it",
    KafkaError._UNKNOWN_PARTITION: "check the topic's name, and that this user may describe it",
}


def advice(error: KafkaError) -> str:
    """What went wrong, and what to look at, in one line."""
    said = _MOMENT.sub("", error.str())
    return f"{said}; {_ADVICE[error.code()]}" if error.code() in _ADVICE else said


def redacted(text: str, settings: Mapping[str, str]) -> str:
    """A message without the secrets among the settings."""
    for name, value in settings.items():
        if len(value) > 2 and _SECRET.search(name):
            text = text.replace(value, "***")
    return text


def connect_consumer(
    servers: str, group: str, settings: Mapping[str, str], log: logging.Logger, callbacks: Mapping[str, object]
) -> Consumer:
    """A consumer that keeps no positions of its own. Nothing is connected yet. Raises UsageError for settings that fail."""
    for name in settings:
        if name in _OWN:
            raise UsageError(f"'{name}' is not for setting: {_OWN[name]}", hint=f"leave {name} away")
    given = {**_DEFAULTS, **settings, **_FIXED, "bootstrap.servers": servers, "group.id": group}
    consumer: Consumer = _made(Consumer, {**given, **callbacks, "logger": log}, settings)
    return consumer


def connect_admin(servers: str, settings: Mapping[str, str]) -> AdminClient:
    """A client that asks which topics there are. It says nothing: what it meets is returned, or raised, to the caller."""
    given = {name: value for name, value in {**_DEFAULTS, **settings}.items() if not name.startswith(_CONSUMER_ONLY)}
    client: AdminClient = _made(AdminClient, {**given, "bootstrap.servers": servers, "log_level": 0}, settings)
    return client


def _made(kind: Any, given: Mapping[str, object], settings: Mapping[str, str]) -> Any:
    try:
        return kind(dict(given))
    except (KafkaException, ValueError, TypeError) as error:
        said = error.args[0].str() if error.args and isinstance(error.args[0], KafkaError) else str(error)
        hint = "settings are librdkafka's, as key=value: security.protocol=SASL_SSL, ssl.ca.location=ca.pem"
        raise UsageError(f"Kafka's client turns a setting down: {redacted(said, settings)}", hint=hint) from None
