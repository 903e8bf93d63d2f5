"""Paths: what a payload is made of, digit for digit, and what a saga locks."""

from __future__ import annotations

import pytest
from msgspec import Raw

from sagacity.saga.paths import PathError, evaluate, parse, payload, resource_key

INPUT = Raw(
    b'{"items": [{"sku": "a", "price": 12.10}], "total": 12345678901234567890.12, "of": {"deep": true}, "none": null}'
)
REPLIES = {"reserve": Raw(b'{"id": 9007199254740993}')}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("input.total", b"12345678901234567890.12"),
        ("input.items.0.price", b"12.10"),
        ("input.items.1.price", b"null"),
        ("input.items.sku", b"null"),
        ("input.of.deep.deeper", b"null"),
        ("input.nothing", b"null"),
        ("replies.reserve.id", b"9007199254740993"),
        ("replies.order.id", b"null"),
        ("replies.reserve", b'{"id": 9007199254740993}'),
        ("saga.id", b'"s-1"'),
    ],
)
def test_a_path_finds_what_was_written(path: str, found: bytes) -> None:
    assert bytes(evaluate(path, "s-1", INPUT, REPLIES)) == found


def test_a_payload_is_an_object_of_what_its_paths_find() -> None:
    assert bytes(payload({"p": "input.items.0.price", "x": "input.x"}, "s-1", INPUT, REPLIES)) == b'{"p":12.10,"x":null}'


@pytest.mark.parametrize("path", ["", "input.", "items", "replies", "replies.", "saga", "saga.name"])
def test_what_is_no_path_says_so(path: str) -> None:
    with pytest.raises(PathError):
        parse(path)


def test_a_resource_is_named_by_where_it_was_found() -> None:
    assert resource_key("input.account", "s", Raw(b'{"account": "17"}')) == 'account="17"'
    assert resource_key("input.of.account", "s", Raw(b'{"of": {"account": {"b": 1, "a": 2}}}')) == 'account={"a":2,"b":1}'
    assert resource_key("input.account", "s", Raw(b"{}")) is None
