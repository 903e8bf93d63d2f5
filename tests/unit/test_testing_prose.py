"""Stories of sagas say what was expected, and what there was instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from saga_stories import PURCHASE, SECONDS
from sagacity.testing.prose import Story, given
from sagacity.testing.simulate import main


def _started() -> Story:
    return given(PURCHASE).started({"items": 2})


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda story: story.expect_command("order"), r"command of order was expected; sent is ReserveInventory"),
        (lambda story: story.expect_compensation("reserve"), r"compensation of reserve was expected"),
        (lambda story: story.expect_command("reserve", items=3), r"with \{'items': 3\}, and was sent with \{'items': 2\}"),
        (lambda story: story.expect_command("reserve").expect_command("reserve"), r"sent is nothing: reserve is asked"),
        (lambda story: story.expect_nothing(), r"nothing was expected to be sent"),
        (lambda story: story.expect_outcome("completed"), r"nothing was expected to be sent"),
        (lambda story: story.expect_status("completed"), r"expected to be completed, and is running"),
        (lambda story: story.expect_step("order", "done"), r"order was expected to be done"),
        (lambda story: story.expect_event("SagaCompleted"), r"told were SagaStarted"),
        (lambda story: story.reply_success(), r"before any command was expected"),
        (lambda story: story.reply_success(to="order"), r"of which no command was expected"),
    ],
)
def test_what_was_not_so_is_told(wrong: Callable[[Story], Story], told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        wrong(_started())


def test_a_saga_that_waits_for_no_timer_says_so() -> None:
    ended = _started().expect_command("reserve").reply_failure("sold out")
    with pytest.raises(AssertionError, match="waits for no timer"):
        ended.when_due()


def test_time_passes_timer_by_timer() -> None:
    story = _started().expect_command("reserve").after(9 * SECONDS).expect_nothing()
    assert story.now == 9_000_000
    story.after(2 * SECONDS).expect_command("reserve")
    assert story.now == 11_000_000


def test_a_campaign_says_what_came_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "30", "--from", "5", "--processes", "1"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("30 seeds from 5: ")
    assert told.endswith("every law held in every seed\n")
