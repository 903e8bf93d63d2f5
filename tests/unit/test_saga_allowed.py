"""What may be ordered of a saga is what an order would be carried out for, and nothing else."""

from __future__ import annotations

from typing import get_args

import pytest

from saga_samples import PURCHASE, Story, stories
from sagacity.errors import UsageError
from sagacity.saga import Ordered
from sagacity.saga.decide.allowed import allowed, tried
from sagacity.saga.happenings import Order

NOW = 1_795_372_854_000_000
STORIES = {story.decision.saga.id: story for story in stories(NOW)}


def _told(story: Story) -> dict[str, tuple[tuple[str, ...], str]]:
    found = allowed(story.definition, story.decision.saga, NOW)
    return {f"{each.order} {each.step or ''}".strip(): (each.sends, each.status) for each in found}


def test_a_pivot_of_which_nothing_is_known_can_be_asked_again_and_never_turned_back() -> None:
    assert _told(STORIES["purchase-2"]) == {
        "retry charge-card": (("purchase-2/charge-card/do/1",), "running"),
        "skip charge-card": (("purchase-2/ship/do/1", "purchase-2/send-receipt/do/1"), "running"),
        "abandon": ((), "abandoned"),
        "resume": (("purchase-2/charge-card/do/1",), "running"),
    }


def test_a_compensation_that_failed_is_given_anew_or_skipped() -> None:
    told = _told(STORIES["purchase-3"])
    assert told["retry reserve-stock"] == (("purchase-3/reserve-stock/undo/2",), "compensating")
    assert told["skip reserve-stock"] == ((), "compensated")
    assert "compensate" not in told


def test_a_saga_that_runs_can_be_turned_back_and_one_that_has_ended_cannot_be_ordered() -> None:
    assert set(_told(STORIES["purchase-6"])) == {"compensate"}
    assert _told(STORIES["purchase-1"]) == _told(STORIES["purchase-4"]) == {}


def test_a_saga_whose_definition_is_not_known_can_be_abandoned_and_nothing_else() -> None:
    saga = STORIES["booking/9"].decision.saga
    assert [each.order for each in allowed(None, saga, NOW)] == ["abandon"]
    for order in set(get_args(Order)) - {"abandon"}:
        with pytest.raises(UsageError, match="booking 3, which is not known"):
            tried(None, saga, Ordered(order), NOW)
    assert tried(None, saga, Ordered("abandon", by="ada", reason="by hand"), NOW).saga.status == "abandoned"


@pytest.mark.parametrize("name", STORIES)
def test_what_is_not_allowed_is_refused_with_what_may_be_done_instead(name: str) -> None:
    story = STORIES[name]
    told = {(each.order, each.step) for each in allowed(story.definition, story.decision.saga, NOW)}
    for order in get_args(Order):
        for step in (None, *(each.name for each in PURCHASE.steps)):
            if (order, step) in told or (order, None) in told or (step is None and any(order == known for known, _ in told)):
                continue
            with pytest.raises(UsageError) as refused:
                tried(story.definition, story.decision.saga, Ordered(order, step), NOW)
            assert refused.value.hint
