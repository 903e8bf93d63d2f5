"""The product service as a process: how it is set up, what it does for sagas over a real broker, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial

import httpx
import msgspec
import psycopg
import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from product_stories import command, stocked
from sagacity.messaging import Envelope, Message
from sagacity.messaging.kafka import KafkaPublisher
from sagacity.messaging.wire import decode
from sagacity.testing.servers.kafka import Broker
from sagacity.testing.servers.ports import free_ports
from sagacity.testing.servers.redis import RedisCluster
from shop.chassis.ids import Ids
from shop.contracts import topics

_UP_WITHIN = 120.0


def environment(dsn: str, broker: Broker, redis: RedisCluster) -> dict[str, str]:
    http, rpc = free_ports(2)
    return {
        "PRODUCT_DATABASE_URL": dsn,
        "PRODUCT_KAFKA_SERVERS": broker.servers,
        "PRODUCT_KAFKA_CONSUMER_SETTINGS": "session.timeout.ms=6000,fetch.wait.max.ms=50",
        "PRODUCT_REDIS_NODES": redis.addresses,
        "PRODUCT_CACHE_LOCAL": "1h",
        "PRODUCT_CACHE_SWEEP": "1h",
        "PRODUCT_KAFKA_LOOK_EVERY": "1h",
        "PRODUCT_AUTH_TARGET": "127.0.0.1:1",
        "PRODUCT_HTTP_PORT": str(http),
        "PRODUCT_RPC_PORT": str(rpc),
        "PRODUCT_MIGRATE_ON_START": "true",
    }


def once(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shop.product", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=_UP_WITHIN,
    )


@contextmanager
def running(environment: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """The service, once it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "shop.product"], env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True
    )
    limit = time.monotonic() + _UP_WITHIN
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{environment['PRODUCT_HTTP_PORT']}", timeout=30) as client:
            ready = False
            while not ready and process.poll() is None and time.monotonic() < limit:
                with suppress(httpx.TransportError):
                    ready = client.get("/readyz").status_code == 200
                time.sleep(0.05)
            if not ready:
                process.kill()
                raise AssertionError(f"it is not ready: {process.communicate()[1]}")
            yield process, client
    finally:
        process.kill()
        process.communicate()


@contextmanager
def asked(broker: Broker, *commands: Envelope) -> Iterator[Callable[[int], list[Envelope]]]:
    """Give these commands; a function that waits for so many of their answers."""
    consumer = Consumer({"bootstrap.servers": broker.servers, "group.id": "test", "log_level": 0})
    places = [
        TopicPartition(
            topics.REPLY, number, consumer.get_watermark_offsets(TopicPartition(topics.REPLY, number), timeout=30)[1]
        )
        for number in consumer.list_topics(topics.REPLY, timeout=30).topics[topics.REPLY].partitions
    ]
    consumer.assign(places)
    given = {each.id for each in commands}

    async def publish() -> None:
        publisher = KafkaPublisher(broker.servers)
        to = {True: topics.ROLLBACK_PRODUCT_INVENTORY, False: topics.UPDATE_PRODUCT_INVENTORY}
        await publisher.publish([Message(to["Rollback" in each.type], each) for each in commands])
        await publisher.close()

    def replies(many: int) -> list[Envelope]:
        found: list[Envelope] = []
        limit = time.monotonic() + _UP_WITHIN
        while len(found) < many:
            assert time.monotonic() < limit, f"of {many} answers {len(found)} came"
            message = consumer.poll(0.2)
            if message is None or message.error():
                continue
            reply = decode(message.key(), message.headers() or (), message.value(), 0)  # type: ignore[arg-type]
            if isinstance(reply, Envelope) and reply.cause in given:
                found.append(reply)
        return found

    try:
        asyncio.run(publish())
        yield replies
    finally:
        consumer.close()


def answers(broker: Broker, *commands: Envelope) -> list[Envelope]:
    """Give these commands, one after another, and wait for the answer to each."""
    found = []
    for each in commands:
        with asked(broker, each) as replies:
            found += replies(1)
    return found


@pytest.fixture
def shop_topics(broker: Broker) -> None:
    admin = AdminClient({"bootstrap.servers": broker.servers, "log_level": 0})
    for made in admin.create_topics([NewTopic(name, 3, 1) for name in topics.ALL]).values():
        with suppress(KafkaException):  # it is there
            made.result(30)


def test_what_is_not_set_up_is_told_all_at_once() -> None:
    done = once({"PRODUCT_REDIS_NODES": "here", "PRODUCT_HTTP_PORT": "many"})
    assert done.returncode == 2
    for told in ("PRODUCT_DATABASE_URL is not set", "PRODUCT_KAFKA_SERVERS is not set", "PRODUCT_HTTP_PORT: 'many'"):
        assert told in done.stderr


def test_settings_are_printed_without_secrets(broker: Broker, redis_cluster: RedisCluster) -> None:
    secret = {"PRODUCT_REDIS_PASSWORD": "hunter2"}
    done = once(
        {**environment("postgresql://product:hunter2@db/product", broker, redis_cluster), **secret}, "--print-config"
    )
    assert done.returncode == 0
    assert f"PRODUCT_REDIS_NODES={redis_cluster.addresses}" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.usefixtures("shop_topics")
def test_it_takes_commands_answers_reads_ends_well_and_goes_on_where_it_was(
    database: str, broker: Broker, redis_cluster: RedisCluster
) -> None:
    purchase = Ids().new()
    with stocked(database, tea=5) as ids:
        given = environment(database, broker, redis_cluster)
        taking = command(purchase, [(ids["tea"], 3)])
        with running(given) as (process, client):
            path = f"/api/v1/products/{ids['tea']}"
            assert client.get(path).json()["inventory"] == 5
            (first,) = answers(broker, taking)
            assert dict(first.extensions)["sagaoutcome"] == "succeeded"
            _eventually(client, path, inventory=2)  # what was cached is dropped at the commit of the reservation
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0, said
            events = [msgspec.json.decode(line)["event"] for line in said.splitlines() if line.startswith("{")]
            assert events[-1] == "ended"
        with running(given) as (_, client):
            again, undone = answers(broker, taking, command(purchase, direction="undo"))
            assert again == first
            assert dict(undone.extensions)["sagaoutcome"] == "succeeded"
            _eventually(client, path, inventory=5)
            metrics = client.get("/metrics").text
            assert 'shop_cache_reads_total{cache="product:1",layer="database",outcome="hit"}' in metrics
            assert client.get("/product/openapi.json").status_code == 200


@pytest.mark.usefixtures("shop_topics")
def test_what_it_was_doing_when_it_was_killed_is_done_by_who_comes_after_it_and_once(
    database: str, broker: Broker, redis_cluster: RedisCluster
) -> None:
    """Defect 6: workers told the broker how far they were beside their work, in any order: a crash lost what was under way.
    Here that stands with the effects, in one transaction."""
    made = Ids()
    purchases = [made.new() for _ in range(20)]
    with stocked(database, tea=50) as ids, psycopg.connect(database) as holding:
        given = environment(database, broker, redis_cluster)
        with running(given) as (process, _):
            holding.execute("select from products where id = %s for update", (ids["tea"],))
            with asked(broker, *(command(each, [(ids["tea"], 2)]) for each in purchases)) as replies:
                _until(partial(_waits_for_a_lock, database))
                process.kill()
                process.wait()
                holding.rollback()
                assert _left(database, ids["tea"]) == 50
                with running(given):
                    told = {int(each.key): dict(each.extensions)["sagaoutcome"] for each in replies(20)}
                    assert told == dict.fromkeys(purchases, "succeeded")
        assert _left(database, ids["tea"]) == 10


def _left(dsn: str, product: int) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("select inventory from products where id = %s", (product,)).fetchone()
    assert row is not None
    return int(row[0])


def _waits_for_a_lock(dsn: str) -> bool:
    query = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchone() is not None


def _until(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + _UP_WITHIN
    while not holds():
        assert time.monotonic() < limit, "it did not come about"
        time.sleep(0.02)


def _eventually(client: httpx.Client, path: str, **wanted: int) -> None:
    limit = time.monotonic() + _UP_WITHIN
    while time.monotonic() < limit:
        shown = client.get(path).json()
        if all(shown[name] == value for name, value in wanted.items()):
            return
        time.sleep(0.02)
    raise AssertionError(f"{path} does not become {wanted}: {shown}")
