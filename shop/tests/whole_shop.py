"""The services that a purchase needs, running in this process on real sockets, a real broker and real databases."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
import psycopg
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

import shop.compliance.settings
import shop.compliance.wiring
import shop.orchestrator.settings
import shop.orchestrator.wiring
import shop.order.settings
import shop.order.wiring
import shop.payment.settings
import shop.payment.wiring
import shop.purchase.settings
import shop.purchase.wiring
import shop.warehouse.settings
import shop.warehouse.wiring
from sagacity.messaging import Envelope
from sagacity.messaging.wire import decode, encode
from sagacity.testing.servers.kafka import Broker
from sagacity.testing.servers.postgres import PostgreSQL
from shop.chassis import parts
from shop.chassis.faults import FaultSettings
from shop.chassis.http import HttpServer
from shop.chassis.service import Service
from shop.chassis.settings import Secret
from shop.contracts import topics
from shop.payment.settings import Rules
from shop.purchase.streams import StreamSettings
from stand_ins import Tokens, Wares, token

__all__ = ["FAULT_TOKEN", "LIMIT", "Shop", "opened"]

FAULT_TOKEN = "let-me-break-things"
LIMIT = 100_000
"""The most that the payment provider takes, in minor units."""

_WITHIN = 60.0
_READY_WITHIN = 60.0
_PATIENT = timedelta(seconds=30)
_SERVICES = ("purchase", "orchestrator", "order", "payment", "warehouse", "compliance")


class Log:
    """A topic, read from its beginning, and on."""

    def __init__(self, servers: str, topic: str) -> None:
        quick = {"fetch.wait.max.ms": 20, "enable.auto.commit": False}
        self._topic = topic
        self._consumer = Consumer({"bootstrap.servers": servers, "group.id": "looking", **quick})
        partitions = self._consumer.list_topics(topic, _WITHIN).topics[topic].partitions
        self._at = dict.fromkeys(partitions, 0)
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        self._read: list[tuple[bytes, Any, bytes]] = []

    def ends(self) -> dict[int, int]:
        """Where each partition ends now."""
        return {
            each: self._consumer.get_watermark_offsets(TopicPartition(self._topic, each), _WITHIN)[1] for each in self._at
        }

    def read(self) -> list[tuple[bytes, Any, bytes]]:
        """Every message up to now: key, headers and value."""
        ends = self.ends()
        while any(self._at[partition] < end for partition, end in ends.items()):
            message: Any = self._consumer.poll(10.0)
            assert message is not None
            assert message.error() is None
            self._at[message.partition()] = message.offset() + 1
            self._read.append((message.key() or b"", message.headers() or [], message.value() or b""))
        return list(self._read)

    def close(self) -> None:
        self._consumer.close()


class Shop:
    """Services by name; two replicas of the purchase service, and of the orchestrator."""

    def __init__(self, broker: Broker, databases: Mapping[str, str]) -> None:
        self.databases = dict(databases)
        self.servers = broker.servers
        self.wares = Wares(databases["product"], self._kafka())
        self.tokens = Tokens()
        self._services: list[tuple[Service, HttpServer]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="shop", daemon=True)
        self._stack = contextlib.AsyncExitStack()
        self._runs: list[asyncio.Task[int]] = []
        self._producer = Producer({"bootstrap.servers": self.servers, "partitioner": "murmur2_random", "linger.ms": 0})
        self._logs: dict[str, Log] = {}

    # What tests do with it ---------------------------------------------------------------------------------------------

    def client(self, service: str, customer: int | None = 3, replica: int = 0) -> httpx.Client:
        """Asks one replica of a service, as a customer."""
        found = [http for each, http in self._services if each.name == service]
        headers = {} if customer is None else {"Authorization": f"Bearer {token(customer)}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{found[replica].port}", headers=headers, timeout=_WITHIN)

    def buy(self, *items: tuple[int, int], customer: int = 3, key: str | None = None) -> str:
        """Place a purchase; its id."""
        body = {"items": [{"product_id": str(id), "quantity": many} for id, many in items], "currency": "USD"}
        with self.client("purchase", customer) as client:
            answer = client.post("/api/v1/purchases", json=body, headers={"Idempotency-Key": key} if key else {})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def followed(
        self, purchase: str, *, customer: int = 3, last: int | None = None, replica: int = 0
    ) -> list[tuple[int, str, dict[str, Any]]]:
        """Every server-sent event of a purchase, to its result: number, type and data."""
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        path = f"/api/v1/purchases/{purchase}/events"
        found: list[tuple[int, str, dict[str, Any]]] = []
        with self.client("purchase", customer, replica) as client, client.stream("GET", path, headers=headers) as answer:
            assert answer.status_code == 200
            event: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if line:
                    event[name] = value
                    continue
                if "data" in event:
                    found.append((int(event["id"]), event["event"], json.loads(event["data"])))
                event = {}
        return found

    def ended(self, purchase: str, *, customer: int = 3) -> dict[str, Any]:
        """The purchase, once it has ended."""
        self.followed(purchase, customer=customer)
        with self.client("purchase", customer) as client:
            return dict(client.get(f"/api/v1/purchases/{purchase}").json())

    def rows(self, service: str, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.databases[service], autocommit=True) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def publish(self, topic: str, *envelopes: Envelope) -> None:
        """Put messages into a topic."""
        for envelope in envelopes:
            wire = encode(envelope)
            self._producer.produce(topic, wire.value, wire.key, headers=list(wire.headers))
        assert self._producer.flush(_WITHIN) == 0

    def raw(self, topic: str, purchases: set[str] | None = None) -> list[tuple[bytes, Any, bytes]]:
        """Every message of a topic up to now, or those of some purchases: key, headers and value."""
        if topic not in self._logs:
            self._logs[topic] = Log(self.servers, topic)
        return [each for each in self._logs[topic].read() if purchases is None or each[0].decode() in purchases]

    def published(self, topic: str, purchases: set[str] | None = None) -> list[Envelope]:
        """The same, as envelopes."""
        read = [decode(key, headers, value, 0) for key, headers, value in self.raw(topic, purchases)]
        return [each for each in read if isinstance(each, Envelope)]

    def caught_up(self, service: str, topic: str) -> None:
        """Wait until a service has done all that is in a topic now."""
        if topic not in self._logs:
            self._logs[topic] = Log(self.servers, topic)
        ends = self._logs[topic].ends()
        query = "select partition, position from sagacity.positions where topic = %s"

        def done() -> bool:
            at = dict(self.rows(service, query, topic))
            return all(at.get(partition, 0) >= end for partition, end in ends.items())

        self.eventually(done)

    def eventually(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; fails after a minute."""
        limit = time.monotonic() + _WITHIN
        while not holds():
            assert time.monotonic() < limit, "it did not come about within a minute"
            time.sleep(0.05)

    # Its life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(_WITHIN)

    def stop(self) -> None:
        try:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(_WITHIN)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            for log in self._logs.values():
                log.close()

    async def _start(self) -> None:
        await self._stack.enter_async_context(self.tokens)
        await self._stack.enter_async_context(self.wares)
        for name in (*_SERVICES, "purchase", "orchestrator"):
            service = self._wired(name)
            http = next(part for _, part in service._parts if isinstance(part, HttpServer))
            self._services.append((service, http))
            run = asyncio.create_task(service.run())
            self._runs.append(run)
            limit = self._loop.time() + _READY_WITHIN
            while not (told := await service.readiness()).ready:
                assert not run.done(), f"{name} did not start"
                assert self._loop.time() < limit, f"{name} is not ready: {told}"
                await asyncio.sleep(0.02)

    async def _stop(self) -> None:
        for service, _ in self._services:
            service.stop()
        codes = await asyncio.gather(*self._runs)
        await self._stack.aclose()
        assert set(codes) <= {0}, codes

    def _kafka(self) -> parts.Kafka:
        return parts.Kafka(servers=self.servers, consumer_settings=("session.timeout.ms=6000", "fetch.wait.max.ms=50"))

    def _wired(self, name: str) -> Service:
        common: dict[str, Any] = {
            "database": parts.Database(url=Secret(self.databases[name]), pool=5),
            "kafka": self._kafka(),
            "migrate_on_start": True,
        }
        auth = parts.Access(target=f"127.0.0.1:{self.tokens.port}", kept=timedelta(0), timeout=_PATIENT)
        faults = FaultSettings(token=Secret(FAULT_TOKEN), late_by=timedelta(minutes=10))
        if name == "purchase":
            product = shop.purchase.settings.ProductSettings(target=f"127.0.0.1:{self.wares.rpc.port}", timeout=_PATIENT)
            streams = StreamSettings(heart_beat=0.5)
            return shop.purchase.wiring.wire(
                shop.purchase.settings.Settings(**common, auth=auth, product=product, streams=streams)
            )
        if name == "orchestrator":
            return shop.orchestrator.wiring.wire(shop.orchestrator.settings.Settings(**common))
        if name == "order":
            return shop.order.wiring.wire(shop.order.settings.Settings(**common, auth=auth))
        if name == "payment":
            provider = Rules(limit=LIMIT)
            return shop.payment.wiring.wire(shop.payment.settings.Settings(**common, auth=auth, provider=provider))
        if name == "warehouse":
            return shop.warehouse.wiring.wire(shop.warehouse.settings.Settings(**common, faults=faults))
        return shop.compliance.wiring.wire(shop.compliance.settings.Settings(**common, faults=faults))


@contextlib.contextmanager
def opened(broker: Broker, postgres: PostgreSQL) -> Iterator[Shop]:
    """A shop, open for as long as it is needed."""
    admin = AdminClient({"bootstrap.servers": broker.servers, "log_level": 0})
    there = admin.list_topics(timeout=_WITHIN).topics
    wanted = [NewTopic(topic, 3, 1) for topic in topics.ALL if topic not in there]
    for made in (admin.create_topics(wanted) if wanted else {}).values():
        made.result(_WITHIN)
    with contextlib.ExitStack() as stack:
        databases = {name: stack.enter_context(postgres.database()) for name in (*_SERVICES, "product")}
        running = Shop(broker, databases)
        try:
            running.start()
            yield running
        finally:
            running.stop()
