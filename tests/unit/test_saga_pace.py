"""When a reader is thought to have caught up, and when to be behind."""

from __future__ import annotations

from sagacity.saga.pace import Pace


def _polled(pace: Pace, found: int, start: float, seconds: float) -> None:
    for tenth in range(int(seconds * 10)):
        pace.polled(found, start + tenth / 10, assigned=True)


def test_one_short_poll_in_the_midst_of_much_is_not_the_end_of_it() -> None:
    pace = Pace(256, 0.0)
    _polled(pace, 256, 0.0, 5.0)
    pace.polled(255, 5.0, assigned=True)
    assert (pace.begun, pace.behind) == (False, True)
    pace.polled(3, 5.1, assigned=True)
    assert (pace.begun, pace.behind) == (True, False)


def test_a_reader_that_finds_nothing_has_caught_up() -> None:
    pace = Pace(256, 0.0)
    _polled(pace, 256, 0.0, 5.0)
    pace.polled(0, 6.0, assigned=True)
    assert (pace.begun, pace.behind) == (True, False)


def test_a_load_that_does_not_cease_keeps_timers_waiting_for_a_minute_at_most() -> None:
    pace = Pace(256, 0.0)
    _polled(pace, 256, 0.0, 60.0)
    assert not pace.begun
    pace.polled(256, 60.5, assigned=True)
    assert (pace.begun, pace.behind) == (True, True)


def test_a_replica_that_gets_nothing_to_read_begins_all_the_same() -> None:
    pace = Pace(256, 0.0)
    pace.polled(0, 1.0, assigned=False)
    assert not pace.begun
    pace.polled(0, 16.0, assigned=False)
    assert pace.begun
