"""Which fields of raw records say what."""

from __future__ import annotations

import msgspec
import pytest

from sagacity.discover.fields import Stated, event_fields, key_field
from sagacity.discover.keys import chosen, keyish, suggested
from sagacity.discover.outline import Look, captures_of
from sagacity.errors import UsageError
from sagacity.ledger.mining import FieldSeen, KeySeen, Link, Sample


def _field(path: str, distinct: int, **counts: int) -> FieldSeen:
    plain = FieldSeen(path=path, records=100, distinct=distinct, whole=0, numbers=0, instants=0, zoned=0, booleans=0)
    return msgspec.structs.replace(plain, **counts)


_TYPE, _TIME = _field("data.event_type", 5), _field("occurred_at", 99, instants=100, zoned=100)
_ID, _ORDER = _field("id", 98), _field("data.order_id", 30)


def test_the_usual_names_are_known() -> None:
    found = event_fields(Sample(100, (_ID, _TYPE, _TIME, _ORDER)), None, None, None)
    assert (found.type, found.time, found.id, found.zoned) == ("data.event_type", "occurred_at", "id", True)


def test_what_is_stated_goes_first() -> None:
    found = event_fields(Sample(100, (_ID, _TYPE, _TIME, _field("what", 4))), "what", None, None)
    assert found.type == "what"


def test_times_without_an_offset_are_noticed() -> None:
    assert not event_fields(Sample(100, (_TYPE, _field("time", 99, instants=100))), None, None, None).zoned


def test_a_name_alone_does_not_make_a_type() -> None:
    with pytest.raises(UsageError, match="type of an event") as raised:
        event_fields(Sample(100, (_field("type", 100), _TIME)), None, None, None)
    assert "--type" in str(raised.value)


def test_a_key_is_found_by_the_end_of_its_path() -> None:
    sample = Sample(100, (_TYPE, _ORDER))
    assert key_field(sample, "order_id") == key_field(sample, "orderId") == "data.order_id"
    assert key_field(sample, "customer") is None


def test_a_key_that_could_be_two_fields_is_asked_about() -> None:
    with pytest.raises(UsageError, match=r"data\.order_id or meta\.order_id"):
        key_field(Sample(100, (_ORDER, _field("meta.order_id", 30))), "order_id")


def test_the_key_of_most_events_and_types_comes_first() -> None:
    sample = Sample(100, (_ORDER, _field("data.payment_id", 25, records=50), _field("data.currency", 3)))
    stated = event_fields(Sample(100, (_TYPE, _TIME)), None, None, None)
    assert keyish(sample, stated) == ["data.order_id", "data.currency", "data.payment_id"]
    order = KeySeen("data.order_id", 90, 30, 2.9, ("A", "B", "C"), 4)
    payment = KeySeen("data.payment_id", 50, 25, 1.9, ("B", "D"), 2)
    currency = KeySeen("data.currency", 100, 3, 3.5, ("A", "B", "C", "D"), 60)
    links = [Link("data.order_id", "data.payment_id", 25, 1.0), Link("data.payment_id", "data.order_id", 25, 0.4)]
    keys = suggested([payment, currency, order], links, 100, 4)
    assert [each.path for each in keys.candidates] == ["data.order_id", "data.payment_id"]
    assert [(link.first, link.second) for link in keys.links] == [("data.order_id", "data.payment_id")]
    assert chosen(keys) == "data.order_id"


def test_where_an_event_stands_in_a_log_is_no_attribute_of_it() -> None:
    fields = tuple(
        msgspec.structs.replace(_field(path, 90, whole=100, numbers=100), by_type={"A": 50, "B": 50})
        for path in ("_row", "_line", "amount")
    )
    look = Look(Sample(100, fields), Stated("kind", "at", None), {"case": "case"}, {"A": 50, "B": 50}, "xes")
    assert set(captures_of(look, "A")) == {"amount"}
