"""Laws of envelopes on the wire: what is sent comes back the same, and whatever comes is read or said to be unreadable."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sagacity.messaging.envelope import Envelope
from sagacity.messaging.subscriber import Unreadable
from sagacity.messaging.wire import decode, encode

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NAMED = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
TAKEN = {
    "id", "type", "source", "time", "subject", "specversion", "data", "datacontenttype", "correlationid", "causationid",
    "traceparent", "tracestate", "replyto",
}  # fmt: skip
EXTENSION = st.text("abcdefghij0123456789", min_size=1, max_size=8).filter(lambda name: name not in TAKEN)
JSON = st.sampled_from([b"null", b'{"a":1}', b"[1,2]", b'"\xc3\xbc"', b" 3.50 ", b'{"big":123456789012345678901234567890}'])
ENVELOPES = st.builds(
    Envelope,
    id=NAMED,
    type=NAMED,
    source=NAMED,
    time=st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
    key=TEXT,
    data=JSON,
    subject=st.none() | TEXT,
    correlation_id=st.none() | TEXT,
    cause=st.none() | TEXT,
    traceparent=st.none() | TEXT,
    tracestate=st.none() | TEXT,
    reply_to=st.none() | TEXT,
    extensions=st.dictionaries(EXTENSION, TEXT, max_size=3).map(lambda held: tuple(held.items())),
)
NAMES = st.sampled_from(
    ["ce_specversion", "ce_id", "CE_TYPE", "ce_source", "ce_time", "content-type", "traceparent", "x", ""]
)
VALUES = st.none() | st.binary(max_size=12) | st.sampled_from([b"1.0", b"a", b"2020-01-01T00:00:00Z", b"application/json"])


@given(ENVELOPES)
def test_what_is_sent_comes_back_the_same(envelope: Envelope) -> None:
    wire = encode(envelope)
    assert decode(wire.key, wire.headers, wire.value) == envelope


@given(
    st.none() | st.binary(max_size=8),
    st.lists(st.tuples(NAMES, VALUES), max_size=8),
    st.none() | st.binary(max_size=30) | JSON,
    st.none() | st.integers(),
)
def test_whatever_comes_is_read_or_is_unreadable_with_its_bytes(
    key: bytes | None, headers: list[tuple[str, bytes | None]], value: bytes | None, sent: int | None
) -> None:
    content = decode(key, headers, value, sent)
    if isinstance(content, Unreadable):
        assert (content.key, content.value) == (key, value)
        assert content.reason
    else:
        assert content.id
        assert decode(key, encode(content).headers, content.data) == content


@given(ENVELOPES, st.sampled_from(["ce_id", "ce_type", "ce_source", "ce_specversion"]))
def test_a_missing_attribute_is_named(envelope: Envelope, name: str) -> None:
    wire = encode(envelope)
    content = decode(wire.key, [each for each in wire.headers if each[0] != name], wire.value)
    assert isinstance(content, Unreadable)
    assert name in content.reason
