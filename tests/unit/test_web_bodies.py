"""From the body of a request to records."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagacity.web.bodies import MOST_RECORDS, TooLarge, TooMany, records, unpacked


@given(st.binary(max_size=300), st.sampled_from(["", "application/json", "application/x-ndjson", "text/plain", "x"]))
def test_every_body_yields_at_least_one_record_and_nothing_of_it_is_lost(body: bytes, content_type: str) -> None:
    taken = records(body, content_type, [])
    assert taken.bodies
    assert set(taken.unreadable) <= set(range(len(taken.bodies)))
    if "ndjson" in content_type and body.strip() and not body.startswith(b"\xef\xbb\xbf"):
        assert b" ".join(taken.bodies).split() == body.split() or b"\xef\xbb" in body


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4))
def test_gzip_is_undone_member_by_member(parts: list[bytes]) -> None:
    packed = b"".join(gzip.compress(part) for part in parts)
    whole = b"".join(parts)
    assert unpacked(packed, len(whole)) == whole
    if whole:
        with pytest.raises(TooLarge):
            unpacked(packed, len(whole) - 1)


@given(st.binary(max_size=60), st.integers(0, 100))
def test_what_is_no_gzip_is_an_error_and_nothing_else(body: bytes, most: int) -> None:
    try:
        unpacked(body, most)
    except (ValueError, TooLarge):
        return
    assert body == b"" or body[:2] == b"\x1f\x8b"


def test_a_bomb_is_not_unpacked_beyond_the_bound() -> None:
    with pytest.raises(TooLarge):
        unpacked(gzip.compress(bytes(50_000_000), 9), 1_000_000)


def test_an_array_in_a_plain_body_is_its_elements() -> None:
    assert list(records(b'[{"a":1.50},2]', "application/json", []).bodies) == [b'{"a":1.50}', b"2"]
    assert records(b'[{"a":1.50},2]', "application/json", []).unreadable == (1,)


@pytest.mark.parametrize("body", [b"[" + b"0," * MOST_RECORDS + b"0]", b"{}\n" * (MOST_RECORDS + 1)])
def test_a_body_of_too_many_records_is_refused_whatever_its_size(body: bytes) -> None:
    with pytest.raises(TooMany):
        records(body, "application/x-ndjson" if body.startswith(b"{") else "application/json", [])
