"""Partitions whose position is gone: a broker that does not answer is asked about one of them at a time."""

from __future__ import annotations

from sagacity.sources.kafka.gone import Gone


def test_a_broker_that_does_not_answer_for_one_is_not_asked_about_the_next_until_later() -> None:
    gone = Gone()
    for number in range(3):
        gone.add(("orders", number))
    assert gone.next(5.0) == ("orders", 0)
    gone.put_off(("orders", 0), 6.0)
    assert gone.next(5.9) is None
    assert gone.next(6.0) == ("orders", 1)


def test_one_that_is_never_answered_for_holds_up_no_other() -> None:
    gone = Gone()
    gone.add(("orders", 0))
    gone.add(("orders", 1))
    gone.put_off(("orders", 0), 1.0)
    gone.add(("orders", 0))  # heard of again
    assert gone.next(1.0) == ("orders", 1)
    gone.remove(("orders", 1))
    assert gone.next(1.0) == ("orders", 0)
    gone.remove(("orders", 0))
    assert gone.next(1.0) is None
