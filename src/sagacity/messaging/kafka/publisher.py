"""Messages out, to Kafka."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from sagacity.errors import MessagingError, PublishError
from sagacity.messaging.envelope import Message
from sagacity.messaging.kafka.settings import advice, made, producer_settings
from sagacity.messaging.wire import encode

__all__ = ["KafkaPublisher"]

_REFUSED = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_RECORD)
"""What such a complaint is about is never taken, however often it is sent."""
_CLOSED = (
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_EXCEPTION,
)
"""What such a complaint is about fails as long as its topic is as it is, and others need not."""
_AT_ONCE = 500
"""So many messages are handed to the client before the event loop has its turn."""
_POLL = 0.25
_FULL = 0.005
_END_WITHIN = 5.0


class KafkaPublisher:
    """See `sagacity.messaging.publisher` for what it guarantees.

    `timeout` is in seconds. `settings` are librdkafka's, for TLS, SASL and so on. Nothing is connected before the first
    message. After a failure the client is given up and a new one made, so that nothing of a failed call comes later.
    """

    def __init__(self, servers: str, *, settings: Mapping[str, str] | None = None, timeout: float = 30.0) -> None:
        self._timeout = timeout
        self._settings = dict(settings or {})
        self._given = producer_settings(servers, self._settings, timeout)
        self._client: _Client | None = None
        self._closed = False

    async def publish(self, messages: Sequence[Message]) -> None:
        if self._closed:
            raise MessagingError("the publisher is closed")
        wires = [encode(message.envelope) for message in messages]
        if not messages:
            return
        client = self._client
        if client is None or client.failed:
            client = self._client = _Client(made(Producer, self._given, self._settings))
        call = _Call(len(messages), asyncio.get_running_loop())
        try:
            async with asyncio.timeout(self._timeout):
                for at, (message, wire) in enumerate(zip(messages, wires, strict=True)):
                    if at % _AT_ONCE == _AT_ONCE - 1:
                        await asyncio.sleep(0)
                    await client.send(call, at, message.topic, wire.key, wire.value, list(wire.headers))
                    if call.reason is not None:
                        break
                else:
                    await call.done.wait()
        except TimeoutError:
            call.reason = call.reason or f"the broker has not answered within {self._timeout:g} s"
        if call.waiting:
            await client.give_up()
            uncertain = [messages[at] for at in sorted(call.waiting)]
            refused = [messages[at] for at in sorted(call.refused)]
            topics = {messages[at].topic for at in call.closed}
            told = f"{len(uncertain)} of {len(messages)} messages: {call.reason}"
            raise PublishError(told, uncertain, refused=refused, topics=topics)

    async def close(self) -> None:
        client, self._client, self._closed = self._client, None, True
        if client is not None:
            await client.close()


class _Call:
    """One call of `publish`: which of its messages are not known to be kept. Told from the client's thread."""

    def __init__(self, many: int, loop: asyncio.AbstractEventLoop) -> None:
        self.waiting = set(range(many))
        self.refused: set[int] = set()
        self.closed: set[int] = set()
        self.reason: str | None = None
        self.done = asyncio.Event()
        self._loop = loop

    def told(self, at: int, error: KafkaError | None, _message: object) -> None:
        if error is None:
            self.waiting.discard(at)
        else:
            self.reason = self.reason or advice(error)
            if error.code() in _REFUSED:
                self.refused.add(at)
            elif error.code() in _CLOSED:
                self.closed.add(at)
        if not self.waiting or self.reason is not None:
            self._loop.call_soon_threadsafe(self.done.set)


class _Client:
    """A producer, and the thread that waits for what it has to tell. Once something has failed it sends no more."""

    def __init__(self, producer: Any) -> None:
        self.failed = False
        self._producer = producer
        self._stop = False
        self._thread = threading.Thread(target=self._run, name="sagacity-kafka-publisher", daemon=True)
        self._thread.start()

    async def send(
        self, call: _Call, at: int, topic: str, key: bytes, value: bytes, headers: list[tuple[str, bytes]]
    ) -> None:
        while not self.failed:
            try:
                self._producer.produce(topic, value, key, headers=headers, on_delivery=partial(self._told, call, at))
                return
            except BufferError:
                await asyncio.sleep(_FULL)
            except KafkaException as error:
                self._told(call, at, error.args[0], None)
        call.reason = call.reason or "an earlier message could not be sent"

    def _told(self, call: _Call, at: int, error: KafkaError | None, message: object) -> None:
        if error is not None:
            self.failed = True
        call.told(at, error, message)

    async def give_up(self) -> None:
        """Send nothing more of what waits; whoever waits for it is told that it failed."""
        self.failed = True
        await self.close()

    async def close(self) -> None:
        self._stop = True
        await asyncio.to_thread(self._thread.join, _END_WITHIN)

    def _run(self) -> None:
        while not self._stop and not self.failed:
            self._poll(_POLL)
        self._producer.purge(in_queue=True, in_flight=True)
        limit = time.monotonic() + _END_WITHIN
        while len(self._producer) and time.monotonic() < limit:
            self._poll(_FULL)

    def _poll(self, wait: float) -> None:
        try:
            self._producer.poll(wait)
        except KafkaException:  # a fatal error: this client sends nothing any more
            self.failed = True
