"""Instants and durations as the API writes and reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagacity.errors import UsageError
from sagacity.web.times import instant_of, later, seconds, stamp
from sagacity.workflow.trace import FOREVER

NOW = 1_795_372_854_000_000
DAY = 86_400_000_000


def test_an_instant_has_six_places_and_says_utc() -> None:
    assert stamp(0) == "1970-01-01T00:00:00.000000Z"
    assert stamp(-1) == "1969-12-31T23:59:59.999999Z"
    assert stamp(None) is stamp(FOREVER) is stamp(-(2**62)) is None


@given(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999))
def test_what_is_written_is_read_back(us: int) -> None:
    text = stamp(us)
    assert text is not None
    assert len(text) == 27
    assert instant_of(text) == us


@pytest.mark.parametrize(
    ("text", "us"),
    [("2026-11-01", 1_793_491_200_000_000), ("2026-11-01T01:00+01:00", 1_793_491_200_000_000), (" 1970-01-01T00:00Z ", 0)],
)
def test_an_instant_is_read_with_its_zone(text: str, us: int) -> None:
    assert instant_of(text) == us


@pytest.mark.parametrize("text", ["", "x", "2026-13-01", "2026-11-01T10:00", "10:00Z", "2026", "9" * 100])
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        instant_of(text)


def test_until_is_an_instant_or_how_long_from_now() -> None:
    assert later("7d", NOW) == NOW + 7 * DAY
    assert later("P7D", NOW) == NOW + 7 * DAY
    assert later("2030-01-01T00:00Z", NOW) == instant_of("2030-01-01")
    for wrong in ("", "soon", "0s", "7", "2020-01-01T00:00Z", "2030-01-01T00:00"):
        with pytest.raises(UsageError):
            later(wrong, NOW)


def test_durations_are_seconds() -> None:
    assert seconds(1_500_000) == 1.5
    assert seconds(None) is None
