"""The law of the token bucket: in any span of time no more pass than the burst and what the rate adds in that span."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sagacity.web.limits import Limiter, Rate, take

RATES = st.builds(Rate, per_second=st.floats(0.1, 1000), burst=st.integers(1, 50))
GAPS = st.lists(st.floats(0, 5), min_size=1, max_size=120)


@given(RATES, GAPS)
def test_no_more_pass_than_the_burst_and_the_rate_allow(rate: Rate, gaps: list[float]) -> None:
    limiter, now, passed = Limiter(rate), 100.0, []
    for gap in gaps:
        now += gap
        if limiter.ask("a", now) == 0:
            passed.append(now)
    for first, start in enumerate(passed):
        for last, end in enumerate(passed[first:], first):
            assert last - first + 1 <= rate.burst + (end - start) * rate.per_second + 1e-6


@given(RATES, GAPS)
def test_whoever_waits_as_long_as_they_are_told_passes(rate: Rate, gaps: list[float]) -> None:
    limiter, now = Limiter(rate), 100.0
    for gap in gaps:
        now += gap
        wait = limiter.ask("a", now)
        if wait > 0:
            now += wait * (1 + 1e-9) + 1e-9
            assert limiter.ask("a", now) == 0


@given(RATES, st.floats(0, 50), st.floats(-10, 10))
def test_a_bucket_never_holds_more_than_its_burst_nor_less_than_nothing(rate: Rate, left: float, since: float) -> None:
    after, wait = take(rate, min(left, rate.burst), since)
    assert 0 <= after <= rate.burst
    assert wait >= 0


def test_one_asker_does_not_take_from_another() -> None:
    limiter = Limiter(Rate(per_second=0.001, burst=1))
    assert limiter.ask("a", 0.0) == 0
    assert limiter.ask("a", 0.0) > 0
    assert limiter.ask("b", 0.0) == 0


def test_memory_is_bounded_whoever_asks() -> None:
    limiter = Limiter(Rate(per_second=1, burst=1), askers=10)
    for n in range(1000):
        limiter.ask(str(n), 0.0)
    assert len(limiter._buckets) == 10
