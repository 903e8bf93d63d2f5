"""What is named in `redact` is taken out of a record, wherever it stands there, and nothing else."""

from __future__ import annotations

import json

import pytest

from sagacity.ledger.duckdb.live.redaction import redacted
from sagacity.workflow.redaction import place_of

_SECRET = "4111 1111"


def _left(document: object, *paths: str) -> object:
    return json.loads(redacted(json.dumps(document).encode(), [place_of(path) for path in paths]))


def test_a_value_is_redacted_and_its_neighbours_stay() -> None:
    assert _left({"card": {"number": _SECRET, "kind": "visa"}, "id": 7}, "card.number") == {
        "card": {"number": "[redacted]", "kind": "visa"},
        "id": 7,
    }


def test_a_whole_object_can_be_redacted() -> None:
    assert _left({"card": {"number": _SECRET}}, "card") == {"card": "[redacted]"}


def test_every_element_of_an_array_is_redacted_also_of_arrays_in_arrays() -> None:
    record = {"cards": [{"number": _SECRET}, [{"number": _SECRET, "n": 1}], 5]}
    assert _left(record, "cards.number") == {
        "cards": [{"number": "[redacted]"}, [{"number": "[redacted]", "n": 1}], "[redacted]"]
    }


def test_a_text_or_a_number_that_may_hold_the_value_is_redacted_as_a_whole() -> None:
    assert _left({"data": json.dumps({"card": _SECRET})}, "data.card") == {"data": "[redacted]"}
    assert _left({"card": 41111111}, "card.number") == {"card": "[redacted]"}


def test_data_in_base64_is_redacted_with_data() -> None:
    left = _left({"data_base64": "NDExMSAxMTEx", "kafka": {"key_base64": "NDEx"}}, "data.card", "kafka.key")
    assert left == {"data_base64": "[redacted]", "kafka": {"key_base64": "[redacted]"}}


def test_names_with_dots_and_odd_letters_are_quoted() -> None:
    assert _left({"card.no": _SECRET, "card": {"no": 1}}, '"card.no"') == {"card.no": "[redacted]", "card": {"no": 1}}


def test_a_name_written_with_escapes_and_one_that_comes_twice_are_redacted() -> None:
    assert _SECRET.encode() not in redacted(b'{"c\\u0061rd":"4111 1111"}', [("card",)])
    assert _SECRET.encode() not in redacted(b'{"card":"4111 1111","card":"4111 1111"}', [("card",)])


def test_what_is_not_there_is_no_matter() -> None:
    assert _left({"a": True, "b": None, "c": 2.50}, "x.y", "a.z", "b.z") == {"a": True, "b": None, "c": 2.5}


def test_other_values_stay_as_they_are_written() -> None:
    assert redacted(b'{"a":1.10,"b":1e400,"s":1}', [("s",)]) == b'{"a":1.10,"b":1e400,"s":"[redacted]"}'


@pytest.mark.parametrize(
    "body",
    [b"4111 1111", b'"4111 1111"', b'["4111 1111"]', b'{"card":"4111 1111"', b"\xff4111 1111", b'{"a":' + b"[" * 100_000],
    ids=["text", "string", "array", "cut", "bytes", "deep"],
)
def test_of_what_is_no_object_nothing_is_left(body: bytes) -> None:
    left = redacted(body, [("card",), ("a", "b")])
    assert left == b"[a record that is no JSON object, of a source with redacted fields]"
