"""The barrier: whatever comes, in whatever order and however often, a step stands done once or not at all."""

from __future__ import annotations

from itertools import product

import pytest
from msgspec import Raw

from sagacity.saga.barrier import REFUSED, Standing, rule
from sagacity.saga.state import Direction

DONE = Standing("do", 1, success=True, data=Raw(b'{"id":1}'))
FAILED = Standing("do", 1, success=False, reason="sold out")
UNDONE = Standing("undo", 1, success=True)


def test_a_redelivered_command_is_answered_as_before() -> None:
    assert rule([DONE], "do", 1).answer == DONE
    assert rule([FAILED], "do", 1).answer == FAILED
    assert rule([DONE, UNDONE], "undo", 1).answer == UNDONE
    assert rule([DONE, UNDONE], "do", 1).action == "answer"


def test_a_command_that_failed_is_executed_anew_as_another_attempt() -> None:
    assert rule([FAILED], "do", 2).action == "execute"


def test_a_compensation_that_overtakes_its_command_is_recorded_and_the_late_command_refused() -> None:
    ruling = rule([], "undo", 1)
    assert ruling.action == "record"
    assert ruling.answer == UNDONE
    late = rule([UNDONE], "do", 1)
    assert late.action == "refuse"
    assert late.answer == Standing("do", 1, success=False, reason=REFUSED)


def test_a_compensation_undoes_only_what_was_done() -> None:
    assert rule([DONE], "undo", 1).action == "execute"
    assert rule([FAILED], "undo", 1).action == "record"


def test_a_step_is_not_done_twice_nor_undone_twice() -> None:
    assert rule([DONE], "do", 2).action == "record"
    assert rule([DONE], "do", 2).answer == Standing("do", 2, success=True, data=DONE.data)
    assert rule([DONE, UNDONE], "undo", 2).action == "record"


def test_a_compensation_that_failed_is_executed_anew() -> None:
    assert rule([DONE, Standing("undo", 1, success=False)], "undo", 2).action == "execute"


def test_an_attempt_that_a_later_one_has_overtaken_is_refused() -> None:
    assert rule([Standing("do", 2, success=False)], "do", 1).action == "refuse"


COMMANDS: list[tuple[Direction, int]] = [("do", 1), ("do", 2), ("undo", 1), ("undo", 2)]


@pytest.mark.parametrize("order", list(product(COMMANDS, repeat=5))[::7])
@pytest.mark.parametrize("failing", [(), (("do", 1),), (("undo", 1),), (("do", 1), ("undo", 1))])
def test_in_every_order_the_net_effect_is_none_or_one(
    order: tuple[tuple[Direction, int], ...], failing: tuple[tuple[Direction, int], ...]
) -> None:
    standing: list[Standing] = []
    net = 0
    answers: dict[tuple[Direction, int], bool] = {}
    for direction, attempt in order:
        ruling = rule(standing, direction, attempt)
        answer = ruling.answer
        if ruling.action == "execute":
            answer = Standing(direction, attempt, success=(direction, attempt) not in failing)
            if answer.success:
                net += 1 if direction == "do" else -1
        assert answer is not None
        if ruling.action != "answer":
            standing.append(answer)
        assert net in (0, 1)
        assert answers.setdefault((direction, attempt), answer.success) == answer.success
    if any(before.direction == "undo" and before.success for before in standing):
        assert net == 0
