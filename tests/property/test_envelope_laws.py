"""The laws of records: what went into a message comes out of its record, and a record is JSON exactly where its value is."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sagacity.sources.envelope import HTTP, KAFKA, Surroundings, plain, record, split, surround

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.text() | st.just("kafka"), VALUES, max_size=4)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1).filter(
    lambda name: name not in ("data", "datacontenttype", "specversion")
)
ATTRIBUTES = st.dictionaries(NAMES, st.text(), max_size=5)
HEADERS = st.lists(st.tuples(st.text(), st.none() | st.binary()), max_size=5)
AROUND = st.builds(
    Surroundings,
    topic=st.text(),
    partition=st.integers(0, 2**31 - 1),
    offset=st.integers(0, 2**63 - 1),
    timestamp=st.none() | st.integers(0, 2**63 - 1),
    key=st.none() | st.binary(),
    headers=HEADERS,
)


def is_json(body: bytes) -> bool:
    try:
        json.loads(body.decode())
    except ValueError:
        return False
    return True


@given(ATTRIBUTES, VALUES)
def test_a_binary_event_comes_out_as_it_went_in(attributes: dict[str, str], data: Any) -> None:
    headers = [("ce_specversion", b"1.0"), *((f"ce_{name}", value.encode()) for name, value in attributes.items())]
    found = json.loads(record(json.dumps(data).encode(), headers, KAFKA))
    assert found == {"specversion": "1.0", **attributes, "data": data}


@given(ATTRIBUTES, st.binary(min_size=1))
def test_data_of_any_bytes_comes_out_as_it_went_in(attributes: dict[str, str], data: bytes) -> None:
    headers = [("ce_specversion", b"1.0"), ("content-type", b"application/octet-stream")]
    headers += [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    found = json.loads(record(data, headers, KAFKA))
    assert base64.b64decode(found.pop("data_base64")) == data
    assert found == {"specversion": "1.0", "datacontenttype": "application/octet-stream", **attributes}


@given(OBJECTS, AROUND, st.sampled_from([None, 1]))
def test_surroundings_are_put_before_everything_else(
    value: dict[str, Any], around: Surroundings, indent: int | None
) -> None:
    pairs = json.loads(surround(json.dumps(value, indent=indent).encode(), around), object_pairs_hook=list)
    assert pairs[0][0] == "kafka"
    assert dict(pairs[0][1])["offset"] == around.offset
    assert pairs[1:] == json.loads(json.dumps(value), object_pairs_hook=list)


@given(st.binary() | st.builds(lambda text: text.encode(), st.text('{}[]",:1a \n')), HEADERS, AROUND)
def test_no_message_raises_and_surroundings_never_mend_or_break_a_value(
    value: bytes, headers: list[tuple[str, bytes | None]], around: Surroundings
) -> None:
    for binding in (KAFKA, HTTP):
        record(value, [(f"{binding.prefix}specversion", b"1.0"), *headers], binding)
    split(value)
    body = record(value, headers, KAFKA)
    assert body == plain(value)
    assert is_json(surround(body, around)) == is_json(body)


@given(st.lists(VALUES))
def test_a_batch_is_divided_into_what_it_holds(values: list[Any]) -> None:
    assert [json.loads(each) for each in split(json.dumps(values).encode())] == values
