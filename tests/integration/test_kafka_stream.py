"""Reading from a real broker: nothing is lost, nothing doubled, and what is wrong is said."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Producer

from kafka_topics import Taken, Topics, poll_until
from sagacity.errors import UsageError
from sagacity.sources.kafka import KafkaStream
from sagacity.testing.servers.kafka import Broker


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [b'{"number":%d}' % number for number in range(start, start + count)]


@pytest.fixture
def topics(broker: Broker) -> Topics:
    return Topics(broker)


@pytest.fixture
def keeping(broker: Broker) -> Iterator[Broker]:
    """A broker that keeps what it has when it is stopped; it runs again afterwards."""
    if not broker.keeps:
        pytest.skip(f"{broker.kind} keeps nothing, and does not tell offsets as Apache Kafka does")
    yield broker
    if not broker.running:
        broker.start()


def test_topics_by_name_and_by_pattern_reach_their_sources(topics: Topics) -> None:
    orders, cards, banks = topics.make("orders"), topics.make("pay.cards"), topics.make("pay.banks")
    for topic in (orders, cards, banks):
        topics.send(topic, [topic.encode()])
    given = {"orders": [orders], "payments": [rf"^{topics.prefix}\.pay\..*"], "all": [f"^{topics.prefix}"]}
    with closing(topics.stream(given)) as stream:
        stream.start({})
        taken = poll_until(stream, lambda taken: taken.current and len(taken.bodies) == 6)
    assert taken.of("orders") == [orders.encode()]
    assert taken.of("payments") == [banks.encode(), cards.encode()]
    assert taken.of("all") == [orders.encode(), banks.encode(), cards.encode()]
    assert {reach.part for reach in taken.reaches} == {f"{topic}/0" for topic in (orders, cards, banks)}
    assert {reach.lag for reach in taken.reaches} == {0}


def test_a_restart_in_the_middle_reads_on_exactly(topics: Topics) -> None:
    topic = topics.make("orders", partitions=3)
    for partition in range(3):
        topics.send(topic, numbered(1000, 10_000 * partition), partition=partition)
    taken = Taken()
    for stop_after in (1, 500, 1700, 3000):
        with closing(topics.stream({"orders": [topic]})) as stream:
            stream.start(taken.positions)
            poll_until(stream, lambda taken, many=stop_after: len(taken.of("orders")) >= many, taken, most=97)  # type: ignore[misc]
    assert taken.of("orders") == [*numbered(1000), *numbered(1000, 10_000), *numbered(1000, 20_000)]
    assert taken.positions == {("orders", f"{topic}/{partition}"): 1000 for partition in range(3)}


def test_a_source_that_comes_to_a_topic_later_gets_all_of_it_and_the_former_one_nothing_twice(topics: Topics) -> None:
    topic = topics.make("orders")
    topics.send(topic, numbered(500))
    taken = Taken()
    with closing(topics.stream({"orders": [topic]})) as stream:
        stream.start({})
        poll_until(stream, lambda taken: len(taken.of("orders")) >= 300, taken, most=300)
    with closing(topics.stream({"orders": [topic], "audit": [topic]})) as stream:
        stream.start(taken.positions)
        poll_until(stream, lambda taken: taken.current and len(taken.of("audit")) == 500, taken, most=7)
    assert taken.of("orders") == taken.of("audit") == numbered(500)


def test_a_source_that_joins_a_topic_while_it_is_read_gets_all_of_it_and_the_former_one_nothing_twice(
    topics: Topics,
) -> None:
    topic = topics.make("orders")
    topics.send(topic, numbered(50))
    with closing(topics.stream({"orders": [topic]})) as stream:
        stream.start({})
        taken = poll_until(stream, lambda taken: len(taken.of("orders")) >= 30, most=30)
        stream.serve({"audit": [topic]})
        poll_until(stream, lambda taken: taken.current and len(taken.of("audit")) == 50, taken, most=7)
    assert taken.of("orders") == taken.of("audit") == numbered(50)


def test_one_record_for_several_sources_is_given_one_by_one_where_one_is_asked_for(topics: Topics) -> None:
    topic = topics.make("orders")
    topics.send(topic, numbered(3))
    with closing(topics.stream({"a": [topic], "b": [topic], "c": [topic]})) as stream:
        stream.start({})
        taken = poll_until(stream, lambda taken: taken.current and len(taken.of("c")) == 3, most=1)
    assert taken.of("a") == taken.of("b") == taken.of("c") == numbered(3)


def test_partitions_and_topics_that_come_later_are_found(topics: Topics) -> None:
    topic = topics.make("orders")
    topics.send(topic, numbered(1))
    with closing(topics.stream({"orders": [f"^{topics.prefix}"]})) as stream:
        stream.start({})
        taken = poll_until(stream, lambda taken: taken.current and len(taken.of("orders")) == 1)
        topics.widen(topic, 2)
        topics.send(topic, numbered(1, 100), partition=1)
        topics.send(topics.make("orders.new"), numbered(1, 200))
        poll_until(stream, lambda taken: taken.current and len(taken.of("orders")) == 3, taken)
    assert sorted(taken.of("orders")) == [b'{"number":0}', b'{"number":100}', b'{"number":200}']


def test_topics_that_are_asked_for_while_it_reads_are_read_from_their_beginning(topics: Topics) -> None:
    orders, refunds = topics.make("orders"), topics.make("refunds")
    topics.send(orders, numbered(3))
    topics.send(refunds, numbered(5, start=10))
    with closing(topics.stream({"orders": [orders]})) as stream:
        stream.start({})
        assert poll_until(stream, lambda taken: len(taken.of("orders")) == 3).of("orders") == numbered(3)
        stream.serve({"refunds": [refunds], "orders": [orders]})
        assert poll_until(stream, lambda taken: len(taken.of("refunds")) == 5).of("refunds") == numbered(5, start=10)


def test_a_topic_that_is_not_there_yet_is_down_and_read_once_it_is(topics: Topics) -> None:
    with closing(topics.stream({"orders": [f"{topics.prefix}.orders"]})) as stream:
        stream.start({})
        (reach,) = poll_until(stream, lambda taken: taken.states == {"down"}).reaches
        assert (reach.source, reach.part) == ("orders", f"{topics.prefix}.orders")
        assert "there is no such topic" in (reach.error or "")
        topics.send(topics.make("orders"), numbered(2))
        taken = poll_until(stream, lambda taken: taken.current and bool(taken.bodies))
    assert taken.of("orders") == numbered(2)


def test_a_topic_that_is_only_assumed_holds_nothing_up_while_it_is_not_there(topics: Topics) -> None:
    name = f"{topics.prefix}.orders"
    with closing(topics.stream({"orders": [name]}, assumed=["orders"])) as stream:
        stream.start({})
        (reach,) = poll_until(stream, lambda taken: taken.current).reaches
        assert "no such topic yet" in (reach.error or "")
        topics.send(topics.make("orders"), numbered(2))
        taken = poll_until(stream, lambda taken: taken.current and bool(taken.bodies))
    assert taken.of("orders") == numbered(2)


def test_a_pattern_that_matches_nothing_yet_holds_nothing_up_and_says_so(topics: Topics) -> None:
    with closing(topics.stream({"orders": [f"^{topics.prefix}"]})) as stream:
        stream.start({})
        (reach,) = poll_until(stream, lambda taken: taken.current).reaches
    assert "no topic matches" in (reach.error or "")


def test_a_broker_that_is_stopped_is_down_and_read_on_from_when_it_is_back(keeping: Broker, topics: Topics) -> None:
    topic = topics.make("orders")
    topics.send(topic, numbered(10))
    with closing(topics.stream({"orders": [topic]})) as stream:
        stream.start({})
        taken = poll_until(stream, lambda taken: taken.current and len(taken.of("orders")) == 10)
        keeping.stop()
        poll_until(stream, lambda taken: taken.states == {"down"}, taken)
        assert "check the servers' addresses" in (taken.reaches[0].error or "")
        keeping.start()
        topics.send(topic, numbered(10, 10))
        poll_until(stream, lambda taken: taken.current and len(taken.of("orders")) == 20, taken)
    assert taken.of("orders") == numbered(20)
    assert [reach.error for reach in taken.reaches] == [None]


def test_a_broker_that_answers_nothing_is_down_though_its_connections_stand(keeping: Broker, topics: Topics) -> None:
    topic = topics.make("orders")
    topics.send(topic, numbered(1))
    with closing(topics.stream({"orders": [topic]})) as stream:
        stream.start({})
        taken = poll_until(stream, lambda taken: taken.current and len(taken.of("orders")) == 1)
        keeping.freeze()
        try:
            poll_until(stream, lambda taken: taken.states == {"down"}, taken)
        finally:
            keeping.thaw()
        assert "has not answered" in (taken.reaches[0].error or "")
        poll_until(stream, lambda taken: taken.current, taken)


def test_brokers_that_are_away_from_the_start_are_reported_and_never_raised() -> None:
    with closing(KafkaStream("127.0.0.1:9", {"orders": ["orders"], "pay": ["^pay"]}, look_every=0.2)) as stream:
        stream.start({("orders", "orders/0"): 5})
        taken = poll_until(stream, lambda taken: taken.states == {"down"})
        assert [reach.source for reach in taken.reaches] == ["orders", "pay"]
        assert all("check the servers' addresses" in (reach.error or "") for reach in taken.reaches)
        started = time.process_time()
        stream.close()
        stream.close()
        assert stream.poll(10, 0.0) == []
        assert time.process_time() - started < 5


@pytest.mark.usefixtures("keeping")
def test_what_retention_took_before_it_was_read_is_said_and_the_rest_is_read(topics: Topics) -> None:
    topic = topics.make("orders")
    topics.send(topic, numbered(100))
    topics.forget(topic, 70)
    with closing(topics.stream({"orders": [topic], "audit": [topic]})) as stream:
        stream.start({("orders", f"{topic}/0"): 20, ("audit", f"{topic}/0"): 90})
        taken = poll_until(stream, lambda taken: taken.current and len(taken.bodies) == 2)
    assert taken.of("orders") == numbered(30, 70)
    assert taken.of("audit") == numbered(10, 90)
    assert "offsets 20 to 69 were gone before they were read: up to 50 records; read on from 70" in (
        taken.reaches[0].error or ""
    )


@pytest.mark.usefixtures("keeping")
def test_a_position_beyond_the_end_of_a_topic_made_anew_reads_it_from_its_beginning(topics: Topics) -> None:
    topic = topics.make("orders")
    topics.send(topic, numbered(3))
    with closing(topics.stream({"orders": [topic]})) as stream:
        stream.start({("orders", f"{topic}/0"): 500})
        taken = poll_until(stream, lambda taken: taken.current and len(taken.of("orders")) == 3)
    assert taken.of("orders") == numbered(3)
    assert "its end is 3, before the position 500" in (taken.reaches[0].error or "")


@pytest.mark.usefixtures("keeping")
@pytest.mark.parametrize("anew", [2, 50])
def test_a_topic_made_anew_while_it_is_read_is_read_from_its_beginning(topics: Topics, anew: int) -> None:
    """Whether the new one is shorter than the old, or longer, so that the old position lies within it."""
    topic = topics.make("orders")
    topics.send(topic, numbered(10))
    with closing(topics.stream({"orders": [topic]})) as stream:
        stream.start({})
        taken = poll_until(stream, lambda taken: taken.current and len(taken.of("orders")) == 10)
        topics.delete(topic)
        topics.make("orders")
        topics.send(topic, numbered(anew, 1000))
        poll_until(stream, lambda taken: taken.current and len(set(taken.of("orders"))) >= 10 + anew, taken)
    assert set(taken.of("orders")) == {*numbered(10), *numbered(anew, 1000)}
    assert "made anew" in (taken.reaches[0].error or "")


@pytest.mark.usefixtures("keeping")
def test_marks_of_transactions_are_no_records_and_hold_nothing_up(topics: Topics) -> None:
    topic = topics.make("orders")
    producer = Producer({"bootstrap.servers": topics.servers, "transactional.id": topic, "log_level": 0})
    producer.init_transactions(60)
    taken = Taken()
    with closing(topics.stream({"orders": [topic]})) as stream:
        stream.start({})
        for number, commit in enumerate((True, False, True)):
            producer.begin_transaction()
            producer.produce(topic, numbered(1, number)[0])
            producer.flush(30)
            poll_until(stream, lambda taken: taken.current, taken)  # the open transaction is none of a reader's business
            (producer.commit_transaction if commit else producer.abort_transaction)(30)
        poll_until(stream, lambda taken: taken.current and len(taken.of("orders")) == 2, taken)
    assert taken.of("orders") == [*numbered(1), *numbered(1, 2)]
    with closing(topics.stream({"orders": [topic]})) as stream:
        stream.start(taken.positions)
        topics.send(topic, numbered(1, 3))
        poll_until(stream, lambda taken: taken.current and len(taken.of("orders")) == 3, taken)
    assert taken.of("orders") == [*numbered(1), *numbered(1, 2), *numbered(1, 3)]


def test_cloud_events_of_either_mode_and_tombstones_come_as_records(topics: Topics) -> None:
    topic = topics.make("orders")
    binary: list[tuple[str, bytes | None]] = [
        ("ce_specversion", b"1.0"), ("ce_id", b"e1"), ("ce_type", b"OrderPlaced"), ("content-type", b"application/json"),
    ]  # fmt: skip
    structured = b'{"specversion":"1.0","id":"e2","type":"OrderPlaced","data":{"order":"7"}}'
    topics.send(topic, [b'{"order":"7"}'], headers=binary)
    topics.send(topic, [structured], headers=[("content-type", b"application/cloudevents+json; charset=utf-8")])
    topics.send(topic, [None], key=b"7")
    with closing(topics.stream({"orders": [topic]})) as stream:
        stream.start({})
        taken = poll_until(stream, lambda taken: taken.current and len(taken.of("orders")) == 3)
    first, second, tombstone = taken.of("orders")
    attributes = {"specversion": "1.0", "id": "e1", "type": "OrderPlaced", "datacontenttype": "application/json"}
    assert json.loads(first) == {**attributes, "data": {"order": "7"}}
    assert (second, tombstone) == (structured, b"{}")


def test_surroundings_stand_in_the_record_where_they_are_asked_for(topics: Topics) -> None:
    topic = topics.make("orders", partitions=2)
    topics.send(topic, [b'{"a":1}', b"no JSON", None], partition=1, key=b"k\xff", headers=[("trace", b"t1"), ("none", None)])
    with closing(topics.stream({"orders": [topic]}, surroundings=True)) as stream:
        stream.start({})
        taken = poll_until(stream, lambda taken: taken.current and len(taken.of("orders")) == 3)
    first, second, tombstone = taken.of("orders")
    record = json.loads(first)
    assert abs(record["kafka"].pop("timestamp") - time.time() * 1000) < 600_000
    kafka = {"topic": topic, "partition": 1, "key_base64": "a/8=", "headers": {"trace": "t1", "none": None}}
    assert record == {"a": 1, "kafka": {**kafka, "offset": 0}}
    assert second == b"no JSON"
    assert json.loads(tombstone)["kafka"]["offset"] == 2


def test_whatever_bytes_are_sent_come_through_as_they_are(topics: Topics) -> None:
    topic = topics.make("orders")
    chance = random.Random(1)
    sent = [b"." + chance.randbytes(chance.randrange(200)) for _ in range(10_000)]
    topics.send(topic, sent)
    with closing(topics.stream({"orders": [topic]})) as stream:
        stream.start({})
        taken = poll_until(stream, lambda taken: taken.current and len(taken.of("orders")) >= len(sent))
    assert taken.of("orders") == sent
    assert taken.offsets["orders", f"{topic}/0"] == list(range(len(sent)))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"security.protocl": "SSL"}, "security.protocl"),
        ({"security.protocol": "TLS"}, "TLS"),
        ({"fetch.wait.max.ms": "soon"}, "fetch.wait.max.ms"),
        ({"auto.offset.reset": "latest"}, "is not for setting"),
        ({"group.id": "mine"}, "is not for setting"),
    ],
)
def test_a_setting_that_makes_no_sense_is_turned_down(settings: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as error:
        KafkaStream("127.0.0.1:9", {"orders": ["orders"]}, settings=settings)
    assert said in error.value.message
    assert error.value.hint


def test_secrets_are_not_in_what_is_said() -> None:
    settings = {"security.protocol": "ssl", "ssl.key.pem": "my secret key", "ssl.certificate.pem": "my own certificate"}
    with pytest.raises(UsageError) as error:
        KafkaStream("127.0.0.1:9", {"orders": ["orders"]}, settings=settings)
    assert "my secret key" not in str(error.value)


@pytest.mark.parametrize("given", [{"orders": []}, {"orders": "orders"}, {"orders": ["^(("]}])
def test_topics_that_make_no_sense_are_turned_down(given: dict[str, list[str]]) -> None:
    with pytest.raises(UsageError):
        KafkaStream("127.0.0.1:9", given)
