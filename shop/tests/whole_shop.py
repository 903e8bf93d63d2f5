"""All services of the shop, running in this process: over real sockets, broker, databases and Redis cluster."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import msgspec
import psycopg
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from accounts import ADMIN, person
from sagacity.messaging import Envelope
from sagacity.messaging.wire import decode, encode
from sagacity.testing.servers.kafka import Broker
from sagacity.testing.servers.postgres import PostgreSQL
from sagacity.testing.servers.redis import RedisCluster
from shop.chassis.http import HttpServer
from shop.chassis.rpc import RpcServer
from shop.chassis.service import Service
from shop.chassis.telemetry import Telemetry
from shop.contracts import topics
from topic_log import TopicLog
from wired_services import SERVICES, Places, part, wired

__all__ = ["PATIENCE", "Shop", "opened"]

PATIENCE = 60.0
"""Seconds that a test waits for anything."""
_READY_WITHIN = 60.0
_UP_WITHIN = 180.0


class Shop:
    """Services by name; two replicas of the purchase service, and of the orchestrator. Customers are known by numbers that
    tests give them."""

    def __init__(self, broker: Broker, databases: Mapping[str, str], redis: RedisCluster) -> None:
        self.databases = dict(databases)
        self.servers = broker.servers
        self.spans: dict[str, InMemorySpanExporter] = {}
        self._places = Places(databases, broker.servers, tuple(redis.addresses.split(",")))
        self._services: list[tuple[Service, HttpServer]] = []
        self._tokens: dict[int, str] = {}
        self._admin: str | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="shop", daemon=True)
        self._runs: list[asyncio.Task[int]] = []
        self._producer = Producer({"bootstrap.servers": self.servers, "partitioner": "murmur2_random", "linger.ms": 0})
        self._logs: dict[str, TopicLog] = {}

    # What tests do with it ---------------------------------------------------------------------------------------------

    def url(self, service: str, replica: int = 0) -> str:
        """Where one replica of a service answers."""
        found = [http for each, http in self._services if each.name == service]
        return f"http://127.0.0.1:{found[replica].port}"

    def client(self, service: str, customer: int | None = 3, replica: int = 0) -> httpx.Client:
        """Asks one replica of a service, as a customer."""
        headers = {} if customer is None else {"Authorization": f"Bearer {self.token(customer)}"}
        return httpx.Client(base_url=self.url(service, replica), headers=headers, timeout=PATIENCE)

    def token(self, customer: int) -> str:
        """An access token of a customer, who registers when first asked for."""
        if customer not in self._tokens:
            self._tokens[customer] = self._let_in("register", msgspec.to_builtins(person()))
        return self._tokens[customer]

    def stock(self, products: Mapping[int, tuple[int, int]]) -> None:
        """Put products there, each with the price of one unit in US cents and how many there are."""
        for id, (price, many) in products.items():
            self.rows(
                "product",
                "insert into products (id, name, brand_name, description, price, currency, inventory) "
                "values (%s, %s, 'brand', '', %s, 'USD', %s) returning id",
                id,
                f"product {id}",
                price,
                many,
            )

    def left(self, product: int) -> int:
        """How many of a product are left."""
        [(many,)] = self.rows("product", "select inventory from products where id = %s", product)
        return int(many)

    def reprice(self, product: int, price: int) -> None:
        """Change a product's price, as an administrator does."""
        if self._admin is None:
            self._admin = self._let_in("login", dict(zip(("email", "password"), ADMIN, strict=True)))
        headers = {"Authorization": f"Bearer {self._admin}"}
        body = {"name": f"product {product}", "brand_name": "brand", "description": "", "price": price, "currency": "USD"}
        with self.client("product", customer=None) as client:
            answer = client.put(f"/api/v1/products/{product}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text

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
        assert self._producer.flush(PATIENCE) == 0

    def raw(self, topic: str, purchases: set[str] | None = None) -> list[tuple[bytes, Any, bytes]]:
        """Every message of a topic up to now, or those of some purchases: key, headers and value."""
        if topic not in self._logs:
            self._logs[topic] = TopicLog(self.servers, topic)
        return [each for each in self._logs[topic].read() if purchases is None or each[0].decode() in purchases]

    def published(self, topic: str, purchases: set[str] | None = None) -> list[Envelope]:
        """The same, as envelopes."""
        read = [decode(key, headers, value, 0) for key, headers, value in self.raw(topic, purchases)]
        return [each for each in read if isinstance(each, Envelope)]

    def caught_up(self, service: str, topic: str) -> None:
        """Wait until a service has done all that is in a topic now."""
        if topic not in self._logs:
            self._logs[topic] = TopicLog(self.servers, topic)
        ends = self._logs[topic].ends()
        query = "select partition, position from sagacity.positions where topic = %s"

        def done() -> bool:
            at = dict(self.rows(service, query, topic))
            return all(at.get(partition, 0) >= end for partition, end in ends.items())

        self.eventually(done)

    def eventually(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; fails after a minute."""
        limit = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < limit, "it did not come about within a minute"
            time.sleep(0.05)

    # Its life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(_UP_WITHIN)

    def stop(self) -> None:
        try:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(_UP_WITHIN)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            for log in self._logs.values():
                log.close()

    async def _start(self) -> None:
        for name in (*SERVICES, "purchase", "orchestrator"):
            service = wired(name, self._places)
            part(service, Telemetry)._exporter = self.spans.setdefault(name, InMemorySpanExporter())
            self._services.append((service, part(service, HttpServer)))
            run = asyncio.create_task(service.run())
            self._runs.append(run)
            limit = self._loop.time() + _READY_WITHIN
            while not (told := await service.readiness()).ready:
                assert not run.done(), f"{name} did not start"
                assert self._loop.time() < limit, f"{name} is not ready: {told}"
                await asyncio.sleep(0.02)
            if name in ("account", "product"):
                setattr(self._places, name, f"127.0.0.1:{part(service, RpcServer).port}")

    async def _stop(self) -> None:
        for service, _ in self._services:
            service.stop()
        codes = await asyncio.gather(*self._runs)
        assert set(codes) <= {0}, codes

    def _let_in(self, how: str, body: dict[str, str]) -> str:
        with self.client("account", customer=None) as client:
            answer = client.post(f"/api/v1/account/auth/{how}", json=body)
        assert answer.is_success, answer.text
        return str(answer.json()["access_token"])


@contextlib.contextmanager
def opened(broker: Broker, postgres: PostgreSQL, redis: RedisCluster) -> Iterator[Shop]:
    """A shop, open for as long as it is needed."""
    admin = AdminClient({"bootstrap.servers": broker.servers, "log_level": 0})
    there = admin.list_topics(timeout=PATIENCE).topics
    wanted = [NewTopic(topic, 3, 1) for topic in topics.ALL if topic not in there]
    for made in (admin.create_topics(wanted) if wanted else {}).values():
        made.result(PATIENCE)
    with contextlib.ExitStack() as stack:
        databases = {name: stack.enter_context(postgres.database()) for name in SERVICES}
        running = Shop(broker, databases, redis)
        try:
            running.start()
            yield running
        finally:
            running.stop()
