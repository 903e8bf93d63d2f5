"""When a node that fails is left alone, and when it is tried again."""

from __future__ import annotations

from shop.chassis.cache.breaker import Breaker


def failed(breaker: Breaker, times: int, now: float) -> None:
    for _ in range(times):
        breaker.failed(now)


def test_single_failures_among_successes_open_nothing() -> None:
    breaker = Breaker(failures=3)
    for _ in range(10):
        failed(breaker, 2, 0.0)
        breaker.succeeded()
    assert breaker.allows(0.0)
    assert not breaker.open


def test_failures_in_a_row_open_it_and_nobody_waits_for_it_any_more() -> None:
    breaker = Breaker(failures=3, first=1.0)
    assert [breaker.failed(0.0) for _ in range(3)] == [False, False, True]
    assert not breaker.allows(0.9)


def test_after_the_pause_one_alone_is_let_through() -> None:
    breaker = Breaker(failures=1, first=1.0)
    failed(breaker, 1, 0.0)
    assert [breaker.allows(1.0) for _ in range(5)] == [True, False, False, False, False]


def test_one_that_never_comes_back_does_not_close_the_way_for_ever() -> None:
    breaker = Breaker(failures=1, first=1.0)
    failed(breaker, 1, 0.0)
    assert breaker.allows(1.0)
    assert breaker.allows(2.0)


def test_pauses_grow_up_to_their_bound_and_begin_anew_after_a_success() -> None:
    breaker = Breaker(failures=1, first=1.0, most=3.0)
    now, pauses = 0.0, []
    breaker.failed(now)
    for _ in range(4):
        began = now
        while not breaker.allows(now):
            now += 0.5
        pauses.append(now - began)
        breaker.failed(now)
    assert pauses == [1.0, 2.0, 3.0, 3.0]
    assert breaker.succeeded()
    breaker.failed(now)
    assert breaker.allows(now + 1.0)
