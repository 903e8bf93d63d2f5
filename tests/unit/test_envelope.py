"""From messages to records: every shape of CloudEvents as one, and nothing that a message holds does harm."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from sagacity.sources.envelope import (
    HTTP,
    KAFKA,
    Binding,
    Surroundings,
    carrying,
    is_batch,
    plain,
    record,
    split,
    surround,
)

EVENT: list[tuple[str, bytes | None]] = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"e1"),
    ("ce_type", b"OrderPlaced"),
    ("ce_time", b"2026-11-01T09:00:00Z"),
]
ATTRIBUTES = {"specversion": "1.0", "id": "e1", "type": "OrderPlaced", "time": "2026-11-01T09:00:00Z"}
JSON: tuple[str, bytes | None] = ("content-type", b"application/json")
AROUND = Surroundings("orders.events", 3, 41, 1_790_000_000_000, b"7", [("trace", b"t")])


def read(body: bytes) -> Any:
    return json.loads(body)


@pytest.mark.parametrize(
    "value",
    [
        b'{"a":1}', b'{\n  "a": 1\n}\n', b"[1]", b'"text"', b"1", b"null", b"", b"no JSON", b"\xff\xfe", b'{"a":\x00}', b"{",
    ],
)  # fmt: skip
def test_a_value_that_is_no_binary_event_is_passed_on_as_it_is(value: bytes) -> None:
    assert plain(value) == value
    assert record(value, [], KAFKA) == value
    assert record(value, [("trace", b"x"), ("ce_id", b"e1"), ("none", None)], KAFKA) == value
    assert record(value, [*EVENT, ("content-type", b"application/cloudevents+json; charset=utf-8")], KAFKA) == value


def test_a_byte_order_mark_is_no_part_of_a_record() -> None:
    assert plain(b"\xef\xbb\xbf{}") == b"{}"
    assert surround(plain(b"\xef\xbb\xbf{}"), AROUND).startswith(b'{"kafka":')


def test_a_tombstone_is_an_object_that_says_nothing() -> None:
    assert plain(None) == b"{}"
    assert read(surround(plain(None), AROUND)) == {"kafka": read(surround(b"{}", AROUND))["kafka"]}


@pytest.mark.parametrize(
    "content", [JSON, ("Content-Type", b"application/vnd.order+json;v=1"), ("content-type", b"TEXT/JSON")]
)
def test_a_binary_event_is_its_attributes_with_its_data(content: tuple[str, bytes | None]) -> None:
    found = read(record(b'{"total": 12.3400, "text": "\\u00e9"}', [*EVENT, content], KAFKA))
    assert found == {**ATTRIBUTES, "datacontenttype": (content[1] or b"").decode(), "data": {"total": 12.34, "text": "é"}}


def test_numbers_of_the_data_keep_their_digits() -> None:
    assert b'"data":{"total": 12.3400, "n": 1e999}' in record(b'{"total": 12.3400, "n": 1e999}', [*EVENT, JSON], KAFKA)


@pytest.mark.parametrize("value", [None, b""])
def test_a_binary_event_without_a_value_has_no_data(value: bytes | None) -> None:
    assert read(record(value, EVENT, KAFKA)) == ATTRIBUTES


@pytest.mark.parametrize(
    ("value", "content"),
    [(b"\x00\x01\xff", "application/protobuf"), (b"hello", "text/plain"), (b'{"a":1}', "text/plain"), (b"\xff", None)],
)
def test_data_that_is_not_json_is_kept_in_base64(value: bytes, content: str | None) -> None:
    headers = [*EVENT, ("content-type", content.encode())] if content else EVENT
    found = read(record(value, headers, KAFKA))
    assert base64.b64decode(found["data_base64"]) == value
    assert "data" not in found


def test_data_that_is_json_without_saying_so_is_json() -> None:
    assert read(record(b'{"a":1}', EVENT, KAFKA))["data"] == {"a": 1}


@pytest.mark.parametrize(
    "value", [b'1,"id":"forged"', b'{"a":1', b"{}}", b'"\xff"', b"[" * 100_000, b'{"a":1}{"b":2}', b"\xff"]
)
def test_data_that_is_said_to_be_json_and_is_not_leaves_nothing_to_be_read(value: bytes) -> None:
    assert record(value, [*EVENT, JSON], KAFKA) == value
    with pytest.raises((ValueError, RecursionError)):
        json.loads(value.decode())


def test_headers_cannot_pass_for_data() -> None:
    forged: list[tuple[str, bytes | None]] = [("ce_data", b"x"), ("ce_data_base64", b"x"), ("ce_datacontenttype", b"x")]
    pairs = json.loads(record(b'{"a":1}', [*EVENT, *forged, JSON], KAFKA), object_pairs_hook=list)
    assert [name for name, _ in pairs] == [*ATTRIBUTES, "datacontenttype", "data"]
    assert dict(pairs)["data"] == [("a", 1)]


def test_of_a_header_that_comes_twice_the_last_counts_and_none_is_no_value() -> None:
    found = read(record(None, [*EVENT, ("ce_id", b"e2"), ("ce_subject", None)], KAFKA))
    assert found == {**ATTRIBUTES, "id": "e2"}


def test_attributes_that_are_no_text_stay_apart() -> None:
    ids = {read(record(None, [*EVENT, ("ce_id", value)], KAFKA))["id"] for value in (b"\xff", b"\xfe", b"\x00", b"")}
    assert len(ids) == 4


def test_over_http_attributes_are_percent_encoded_and_their_names_of_any_case() -> None:
    headers: list[tuple[str, bytes | None]] = [
        ("CE-SpecVersion", b"1.0"), ("Ce-Id", b"e%201"), ("ce-type", b"Order%C3%A9"), ("x-other", b"1"), JSON,
    ]  # fmt: skip
    found = read(record(b"{}", headers, HTTP))
    assert found == {"specversion": "1.0", "id": "e 1", "type": "Orderé", "datacontenttype": "application/json", "data": {}}
    assert record(b"{}", headers, KAFKA) == b"{}"


def test_a_batch_is_its_events_as_they_are_written() -> None:
    assert split(b' [ {"a": 1.10}, {"b":"\\u00e9"},3 ] ') == [b'{"a": 1.10}', b'{"b":"\\u00e9"}', b"3"]
    assert split(b"[]") == []


@pytest.mark.parametrize("value", [b"{}", b"[1", b"", b"\xff", b"[" * 100_000, b"[1]2"])
def test_a_batch_that_is_no_array_is_one_record(value: bytes) -> None:
    assert split(value) == [value]


@pytest.mark.parametrize(
    ("content", "batch"),
    [
        ("application/cloudevents-batch+json", True),
        (" Application/CloudEvents-Batch+JSON; charset=utf-8", True),
        ("application/cloudevents+json", False),
        ("application/cloudevents-batch+avro", False),
        ("", False),
    ],
)
def test_a_batch_is_known_by_its_content_type(content: str, batch: bool) -> None:
    assert is_batch(content) is batch


def test_surroundings_come_first_so_that_a_value_cannot_forge_them() -> None:
    body = surround(b'{"kafka":{"offset":0},"a":1}', AROUND)
    pairs = json.loads(body, object_pairs_hook=list)
    assert [name for name, _ in pairs] == ["kafka", "kafka", "a"]
    assert dict(pairs[0][1]) == {
        "topic": "orders.events", "partition": 3, "offset": 41, "timestamp": 1_790_000_000_000, "key": "7",
        "headers": [("trace", "t")],
    }  # fmt: skip


def test_a_plain_record_carries_the_correlation_and_the_trace_of_its_headers() -> None:
    trace = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    body = carrying(b'{"a":1} \n', [("X-Correlation-Id", b"c-1"), ("traceparent", trace), ("other", b"x"), ("none", None)])
    assert read(body) == {"a": 1, "correlationid": "c-1", "traceparent": trace.decode()}
    assert read(carrying(b" { }", [("x-correlation-id", b"c-1")])) == {"correlationid": "c-1"}


@pytest.mark.parametrize("body", [b"[1]", b"{", b"", b"nonsense", b'"a"'])
def test_what_is_no_object_carries_nothing(body: bytes) -> None:
    assert carrying(body, [("x-correlation-id", b"c-1")]) == body


@pytest.mark.parametrize("headers", [[], [("x-correlation-id", b"no \xff id")], [("traceparent", b"00-1-2-3")]])
def test_a_record_whose_headers_carry_nothing_sound_stays_as_it_is(headers: list[tuple[str, bytes | None]]) -> None:
    assert carrying(b'{"a":1}', headers) == b'{"a":1}'


def test_what_a_record_says_of_itself_stands_before_what_its_headers_carry() -> None:
    body = carrying(b'{"correlationid":"own"}', [("x-correlation-id", b"c-1")])
    assert body.index(b"own") < body.index(b"c-1")


def test_what_is_not_known_of_the_surroundings_is_absent() -> None:
    assert read(surround(b"{}", Surroundings("t", 0, 0, None, None))) == {
        "kafka": {"topic": "t", "partition": 0, "offset": 0}
    }


def test_keys_and_headers_that_are_no_text_can_be_told() -> None:
    found = read(surround(b" { } ", Surroundings("t", 0, 0, 0, b"\xff", [("a\udcff", b"\xff"), ("b", None), ("b", b"2")])))
    assert found["kafka"]["key_base64"] == "/w=="
    assert found["kafka"]["headers"] == {"a\\udcff": "\\xff", "b": "2"}


@pytest.mark.parametrize("value", [b"[]", b"", b"text", b"\xff", b"null", b"  "])
def test_what_is_no_object_has_no_surroundings(value: bytes) -> None:
    assert surround(value, AROUND) == value


@pytest.mark.parametrize("binding", [KAFKA, HTTP])
def test_names_of_attributes_that_are_no_text_do_no_harm(binding: Binding) -> None:
    headers: list[tuple[str, bytes | None]] = [
        (f"{binding.prefix}specversion", b"1.0"),
        (f"{binding.prefix}\udcff", b"%ff%"),
    ]
    assert read(record(b"{}", headers, binding))["specversion"] == "1.0"
