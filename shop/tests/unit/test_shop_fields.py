"""What is wrong with a document, field by field."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from shop.chassis.fields import wrong_fields


class Item(Struct, kw_only=True, forbid_unknown_fields=True):
    product: Annotated[str, Meta(pattern="^[0-9]+$", description="an id")]
    quantity: Annotated[int, Meta(ge=1, le=100)]


class Basket(Struct, kw_only=True):
    items: Annotated[list[Item], Meta(min_length=1, max_length=3)]
    note: Annotated[str, Meta(max_length=5)] | None = None
    payment: Item | None = None


GOOD = {"product": "1", "quantity": 1}


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ({"items": [GOOD]}, {}),
        ({"items": [GOOD], "note": None, "payment": GOOD}, {}),
        ({}, {"items": "is missing"}),
        ([], {"": "must be an object, not a list"}),
        ({"items": []}, {"items": "must have at least 1 entries"}),
        ({"items": [GOOD] * 4}, {"items": "must have at most 3 entries"}),
        ({"items": "x"}, {"items": "must be a list, not a text"}),
        (
            {"items": [GOOD, {"product": "a", "quantity": 0}, {"quantity": 101}]},
            {
                "items.1.product": "must be an id",
                "items.1.quantity": "must be at least 1",
                "items.2.product": "is missing",
                "items.2.quantity": "must be at most 100",
            },
        ),
        ({"items": [{**GOOD, "colour": 1}]}, {"items.0": "there is no field colour"}),
        ({"items": [GOOD], "note": "too long"}, {"note": "must have at most 5 characters"}),
        ({"items": [GOOD], "payment": {}}, {"payment.product": "is missing", "payment.quantity": "is missing"}),
        ({"items": [{"product": 1, "quantity": 1.5}]}, {
            "items.0.product": "must be a text, not an integer", "items.0.quantity": "must be an integer, not a number"
        }),
    ],
)  # fmt: skip
def test_each_field_that_is_wrong_is_told_with_why(document: Any, wrong: dict[str, str]) -> None:
    assert wrong_fields(document, Basket) == wrong


_plain = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 200) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["items", "note", "payment", "product", "quantity", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(_plain)
def test_something_is_told_exactly_where_the_decoder_refuses(document: Any) -> None:
    try:
        msgspec.convert(document, Basket)
        fits = True
    except msgspec.ValidationError:
        fits = False
    assert (wrong_fields(document, Basket) == {}) == fits
