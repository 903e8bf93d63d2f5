"""Deadlines from how long things take."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, log2

import pytest

from sagacity.discover.spans import deadline, inverted, rounded, timeout
from sagacity.workflow.durations import parse_duration


def _bins(spans: Iterable[float]) -> dict[int, tuple[int, int]]:
    """The spans (seconds) as a ledger would count them."""
    found: dict[int, tuple[int, int]] = {}
    for span in spans:
        us = int(span * 1e6)
        number = floor(16 * log2(us)) if us > 0 else -1
        n, longest = found.get(number, (0, 0))
        found[number] = (n + 1, max(longest, us))
    return found


_USUAL = [60 + 5 * n for n in range(200)]  # up to 1,055 seconds


def test_a_deadline_leaves_a_margin_beyond_the_longest() -> None:
    found = deadline(_bins(_USUAL), 0.95)
    assert found is not None
    assert (found.within, found.longer, found.gap) == (parse_duration("25m"), 0, False)


def test_delays_that_stand_apart_are_late() -> None:
    late = [5000.0, 7000.0, 9000.0]
    found = deadline(_bins([*_USUAL, *late]), 0.95)
    assert found is not None
    assert found.within == parse_duration("25m")
    assert (found.gap, found.longer) == (True, 3)


def test_more_late_ones_than_the_threshold_lets_go_are_usual() -> None:
    late = [5000.0 + 100 * n for n in range(40)]
    found = deadline(_bins([*_USUAL, *late]), 0.95)
    assert found is not None
    assert found.within > 8900 * 1e6


def test_a_deadline_in_a_narrow_gap_stays_below_what_is_late() -> None:
    found = deadline(_bins([*_USUAL, 1400.0, 1420.0]), 0.95)
    assert found is not None
    assert 1055 * 1e6 < found.within < 1400 * 1e6


def test_few_delays_suggest_nothing() -> None:
    assert deadline(_bins([1.0] * 29), 0.95) is None
    assert deadline(_bins([1.0] * 30), 0.95) is not None


def test_what_takes_a_second_or_a_month_has_no_usual_length() -> None:
    assert deadline(_bins([1.0] * 60 + [3600.0 * 24 * n for n in range(1, 41)]), 0.95) is None


@pytest.mark.parametrize(
    ("seconds", "said"), [(1, "1s"), (61, "2m"), (3601, "1h30m"), (86_000, "1d"), (90_000, "30h"), (10**9, "11575d")]
)
def test_spans_are_rounded_up_to_what_people_say(seconds: float, said: str) -> None:
    assert rounded(seconds * 1e6) == parse_duration(said)


def test_cases_time_out_beyond_the_longest_but_for_stragglers() -> None:
    day = 86_400_000_000
    assert timeout({0.99: 10 * day, 1.0: 20 * day}) == 25 * day
    assert timeout({0.99: 10 * day, 1.0: 300 * day}) == 20 * 1 * day + day
    assert timeout({0.99: 0, 1.0: 0}) is None


def test_spans_of_one_length_are_inverted_half_of_the_time() -> None:
    assert inverted(_bins([5.0] * 4), _bins([5.0])) == 0.5
    assert inverted(_bins([5.0]), _bins([50.0])) == 1.0
    assert inverted(_bins([50.0]), _bins([5.0])) == 0.0
