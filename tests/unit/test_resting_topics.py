"""Topics that nothing can be sent to are left alone, each time for longer, until something of them was sent."""

from __future__ import annotations

from sagacity.messaging.postgres.resting import Resting


def test_each_time_that_a_topic_fails_it_rests_for_longer_but_no_longer_than_a_minute() -> None:
    resting, now, pauses = Resting(), 100.0, []
    for _ in range(6):
        resting.failed(["nowhere"], now)
        began = now
        while resting.now(now):
            now += 1.0
        pauses.append(now - began)
    assert pauses == [5, 10, 20, 40, 60, 60]
    assert resting.failing == ["nowhere"]


def test_a_topic_of_which_something_was_sent_is_as_any_other() -> None:
    resting = Resting()
    resting.failed(["a", "b"], 0.0)
    resting.sent(["a", "c"])
    assert resting.now(1.0) == resting.failing == ["b"]
