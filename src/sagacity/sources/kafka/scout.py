"""Looks, on a thread of its own, which topics and partitions there are: such questions wait for an answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, TopicCollection

from sagacity.sources.kafka.routes import Routes
from sagacity.sources.kafka.settings import advice

__all__ = ["Found", "Scout", "Sight"]

_log = logging.getLogger("sagacity.sources.kafka")
_ANSWER_WITHIN = 4.0


class Found(msgspec.Struct, frozen=True):
    """A topic. `identity` is another when a topic of the same name is made anew; empty where the broker tells none."""

    partitions: int
    identity: str = ""


class Sight(msgspec.Struct, frozen=True):
    """What a look has found, by topic; or why there was nothing to be seen."""

    topics: Mapping[str, Found] = {}
    refused: Mapping[str, str] = {}
    error: str | None = None


class Scout:
    """Looks at once, and then every so many seconds, until it is closed. `sight` is what the last look has found.

    `connect` gives a client; it is called on the scout's own thread.
    """

    def __init__(self, connect: Callable[[], Any], routes: Routes, every: float) -> None:
        self.sight: Sight | None = None
        self._connect = connect
        self._routes = routes
        self._every = every
        self._stop = threading.Event()
        self._seen = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sagacity-kafka-scout", daemon=True)

    def start(self, wait: float) -> None:
        """Begin to look; wait at most so many seconds for the first answer."""
        self._thread.start()
        self._seen.wait(wait)

    def close(self) -> None:
        """Look no more. A question that is still under way ends by itself, within seconds."""
        self._stop.set()

    def _run(self) -> None:
        client = self._connect()
        while not self._stop.is_set():
            self.sight = self._look(client)
            self._seen.set()
            self._stop.wait(self._every)

    def _look(self, client: Any) -> Sight:
        try:
            listed = client.list_topics(timeout=_ANSWER_WITHIN).topics
        except KafkaException as error:
            return Sight(error=advice(error.args[0]))
        wanted = {name: topic for name, topic in listed.items() if self._routes.sources(name)}
        refused = {name: advice(topic.error) for name, topic in wanted.items() if topic.error is not None}
        found = {name: len(topic.partitions) for name, topic in wanted.items() if topic.error is None and topic.partitions}
        identities = self._identities(client, list(found))
        topics = {name: Found(partitions, identities.get(name, "")) for name, partitions in found.items()}
        return Sight(topics, refused)

    def _identities(self, client: Any, names: list[str]) -> dict[str, str]:
        """What tells a topic from an earlier one of its name. Where a broker does not tell, it goes without."""
        if not names or self._stop.is_set():
            return {}
        identities = {}
        try:
            asked = client.describe_topics(TopicCollection(names), request_timeout=_ANSWER_WITHIN)
            for name, answer in asked.items():
                identities[name] = str(answer.result(timeout=_ANSWER_WITHIN + 1).topic_id)
        except (KafkaException, TimeoutError) as error:
            said = error.args[0].str() if error.args and isinstance(error.args[0], KafkaError) else str(error)
            _log.debug("topics cannot be described: %s", said)
        return identities
