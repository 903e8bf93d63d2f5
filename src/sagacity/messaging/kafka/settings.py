"""How the clients are set up, and what they say where something is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from sagacity.errors import UsageError

__all__ = ["advice", "consumer_settings", "made", "producer_settings"]

_CLIENT: dict[str, object] = {
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 2000,
    "socket.connection.setup.timeout.ms": 10_000,
    "log.connection.close": False,
    "log_level": 2,
}
_PRODUCER_DEFAULTS: dict[str, object] = {
    "linger.ms": 0,
    "queue.buffering.max.messages": 100_000,
    "queue.buffering.max.kbytes": 65_536,
    "topic.metadata.propagation.max.ms": 5000,
    "compression.type": "lz4",
}
"""No linger: what is handed over while a request is under way goes together with the next, so batches form by themselves."""
_PRODUCER_FIXED: dict[str, object] = {
    "enable.idempotence": True,
    "enable.gapless.guarantee": True,
    "acks": "all",
    "partitioner": "murmur2_random",
}
"""Gapless: a message that fails fails all after it, so that none of the same key overtakes it. The partitioner is that of
Kafka's own clients, so that all programs put a key into the same partition."""
_CONSUMER_DEFAULTS: dict[str, object] = {
    "partition.assignment.strategy": "cooperative-sticky",
    "session.timeout.ms": 10_000,
    "heartbeat.interval.ms": 500,
    "max.poll.interval.ms": 300_000,
    "queued.max.messages.kbytes": 32_768,
    "fetch.queue.backoff.ms": 20,
    "fetch.wait.max.ms": 250,
    "topic.metadata.refresh.interval.ms": 30_000,
}
"""Heartbeats: a member hears with the next that partitions are shared anew, and until all have heard, those that change
hands are read by nobody."""
_CONSUMER_FIXED: dict[str, object] = {
    "auto.offset.reset": "error",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",
}
_OWN = {
    **dict.fromkeys((*_PRODUCER_FIXED, *_CONSUMER_FIXED), "the guarantees depend on it"),
    "bootstrap.servers": "give the servers",
    "group.id": "give the group",
    "message.timeout.ms": "give the timeout",
    "delivery.timeout.ms": "give the timeout",
}
_SECRET = re.compile(r"password|secret|\.pem|token|jaas|oauthbearer\.config|username", re.IGNORECASE)
_SERVERS = "check the servers' addresses, that they listen, and that no firewall is between"
_TOPIC = "check the topic's name, and that this user may describe it"
_ADVICE = {
    KafkaError._TRANSPORT: _SERVERS,
    KafkaError._ALL_BROKERS_DOWN: _SERVERS,
    KafkaError._TIMED_OUT: _SERVERS,
    KafkaError._MSG_TIMED_OUT: _SERVERS,
    KafkaError._RESOLVE: "check the servers' names, those that the brokers advertise (advertised.listeners) included",
    KafkaError._AUTHENTICATION: "check sasl.mechanism, sasl.username and sasl.password",
    KafkaError.SASL_AUTHENTICATION_FAILED: "check sasl.mechanism, sasl.username and sasl.password",
    KafkaError._SSL: "check security.protocol, ssl.ca.location and the certificates",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "grant Read, Write and Describe on the topic to this user",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "grant Read on the group to this user, or name another group",
    KafkaError.UNKNOWN_TOPIC_OR_PART: _TOPIC,
    KafkaError._UNKNOWN_TOPIC: _TOPIC,
    KafkaError._UNKNOWN_PARTITION: _TOPIC,
    KafkaError.MSG_SIZE_TOO_LARGE: "send less in one message, or raise message.max.bytes here and at the broker",
}


def producer_settings(servers: str, settings: Mapping[str, str], timeout: float) -> dict[str, object]:
    """What a producer is made with. Raises UsageError for a setting that is not for the user."""
    _refuse(settings)
    given = {**_CLIENT, **_PRODUCER_DEFAULTS, **settings, **_PRODUCER_FIXED}
    return {**given, "bootstrap.servers": servers, "message.timeout.ms": max(int(timeout * 1000), 1)}


def consumer_settings(servers: str, group: str, settings: Mapping[str, str]) -> dict[str, object]:
    """What a consumer is made with. Raises UsageError for a setting that is not for the user."""
    _refuse(settings)
    given = {**_CLIENT, **_CONSUMER_DEFAULTS, **settings, **_CONSUMER_FIXED}
    return {**given, "bootstrap.servers": servers, "group.id": group}


def made(kind: Any, given: Mapping[str, object], settings: Mapping[str, str]) -> Any:
    """A client. Raises UsageError for settings that it turns down."""
    try:
        return kind(dict(given))
    except (KafkaException, ValueError, TypeError) as error:
        said = error.args[0].str() if error.args and isinstance(error.args[0], KafkaError) else str(error)
        for name, value in settings.items():
            if len(value) > 2 and _SECRET.search(name):
                said = said.replace(value, "***")
        hint = "settings are librdkafka's, as key=value: security.protocol=SASL_SSL, ssl.ca.location=ca.pem"
        raise UsageError(f"Kafka's client turns a setting down: {said}", hint=hint) from None


def advice(error: KafkaError) -> str:
    """What went wrong, and what to look at, in one line."""
    return f"{error.str()}; {_ADVICE[error.code()]}" if error.code() in _ADVICE else error.str()


def _refuse(settings: Mapping[str, str]) -> None:
    for name in settings:
        if name in _OWN:
            raise UsageError(f"'{name}' is not for setting: {_OWN[name]}", hint=f"leave {name} away")
