"""Envelopes on the wire: the headers to the letter, and what is refused."""

from __future__ import annotations

import pytest

from sagacity.errors import MessagingError
from sagacity.messaging.envelope import Envelope
from sagacity.messaging.subscriber import Unreadable
from sagacity.messaging.wire import decode, encode

PAID = Envelope(
    id="1",
    type="PaymentReceived",
    source="/payment",
    time=1_700_000_000_000_001,
    key="order-7",
    data=b'{"amount":"9.90"}',
    correlation_id="c",
    cause="0",
    reply_to="reply",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)


def test_an_envelope_is_a_cloudevent_in_binary_mode() -> None:
    wire = encode(PAID)
    assert (wire.key, wire.value) == (b"order-7", b'{"amount":"9.90"}')
    assert dict(wire.headers) == {
        "ce_specversion": b"1.0",
        "content-type": b"application/json",
        "ce_id": b"1",
        "ce_type": b"PaymentReceived",
        "ce_source": b"/payment",
        "ce_time": b"2023-11-14T22:13:20.000001+00:00",
        "ce_correlationid": b"c",
        "ce_causationid": b"0",
        "ce_replyto": b"reply",
        "ce_traceparent": b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }


@pytest.mark.parametrize(
    ("written", "microseconds"),
    [
        ("2023-11-14T22:13:20Z", 1_700_000_000_000_000),
        ("2023-11-14t23:13:20.5+01:00", 1_700_000_000_500_000),
        ("2023-11-14T22:13:20.123456789Z", 1_700_000_000_123_456),
    ],
)
def test_times_of_other_programs_are_read(written: str, microseconds: int) -> None:
    headers = {**dict(encode(PAID).headers), "ce_time": written.encode()}
    content = decode(b"k", headers.items(), b"{}")
    assert isinstance(content, Envelope)
    assert content.time == microseconds


def test_a_message_without_a_time_has_that_of_the_broker() -> None:
    headers = [each for each in encode(PAID).headers if each[0] != "ce_time"]
    content = decode(b"k", headers, b"{}", 5)
    assert isinstance(content, Envelope)
    assert content.time == 5
    assert isinstance(decode(b"k", headers, b"{}"), Unreadable)


def test_a_trace_without_the_prefix_is_read() -> None:
    headers = [("traceparent" if name == "ce_traceparent" else name, value) for name, value in encode(PAID).headers]
    content = decode(b"order-7", headers, b'{"amount":"9.90"}')
    assert content == PAID


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ce_time", b"yesterday", "RFC 3339"),
        ("ce_time", b"2023-02-30T00:00:00Z", "day"),
        ("ce_specversion", b"0.3", "version"),
        ("content-type", b"text/plain", "not JSON"),
        ("ce_subject", b"\xff", "UTF-8"),
    ],
)
def test_what_cannot_be_read_is_said(name: str, value: bytes, said: str) -> None:
    content = decode(b"k", {**dict(encode(PAID).headers), name: value}.items(), b"{}")
    assert isinstance(content, Unreadable)
    assert said in content.reason


@pytest.mark.parametrize("value", [b"{", b"plain text", b'"\xff"', b"[" * 100_000])
def test_data_that_is_no_json_is_unreadable(value: bytes) -> None:
    content = decode(b"k", encode(PAID).headers, value)
    assert isinstance(content, Unreadable)
    assert content.value == value


@pytest.mark.parametrize(
    "changed",
    [
        {"id": ""},
        {"type": ""},
        {"data": b""},
        {"time": 10**18},
        {"extensions": (("id", "x"),)},
        {"extensions": (("Tenant", "x"),)},
        {"key": "\ud800"},
    ],
)
def test_an_envelope_that_would_not_come_back_is_refused(changed: dict[str, object]) -> None:
    fields = {"id": "1", "type": "t", "source": "s", "time": 0, "key": "k", **changed}
    with pytest.raises(MessagingError):
        encode(Envelope(**fields))  # type: ignore[arg-type]
