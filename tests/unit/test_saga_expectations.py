"""The workflow that is generated from a definition: sound for definitions of any shape, and made of their times."""

from __future__ import annotations

from datetime import timedelta

import pytest

from saga_stories import PURCHASE, SECONDS
from sagacity.saga.definition import Effect, Retry, Saga, Step
from sagacity.saga.expectations import expectations, patience, workflow_text
from sagacity.testing.simulation.scenario import scenario
from sagacity.workflow.language.reader import read
from sagacity.workflow.model import Rule, Workflow
from sagacity.workflow.words.naming import names


@pytest.mark.parametrize("first", range(0, 80, 20))
def test_it_is_sound_for_definitions_of_any_shape(first: int) -> None:
    for seed in range(first, first + 20):
        definition = scenario(seed).definition
        workflow, problems = read(workflow_text(definition, owner="shop"))
        assert problems == ()
        assert workflow == expectations(definition, owner="shop")


def test_no_two_expectations_have_the_same_name() -> None:
    named = names(expectations(PURCHASE))
    assert len(set(named)) == len(named)


def test_names_with_quotes_in_them_are_still_names() -> None:
    odd = Saga("odd", 1, (Step("a", 'Say "it\'s"', "t", "Unsay"), Step("b", "B's", "t", kind="pivot")))
    assert read(workflow_text(odd))[1] == ()


def test_patience_is_all_timeouts_and_the_longest_pauses_between_them() -> None:
    step = Step("a", "A", "t", "B", timeout=10 * SECONDS, retry=Retry(4, first=1 * SECONDS, factor=2.0, most=3 * SECONDS))
    assert patience(step, "do") == (4 * 10 + 1 + 2 + 3) * 1_000_000


def _within(workflow: Workflow, name: str) -> int | None:
    return next(each.within for each in workflow.expectations if isinstance(each, Rule) and each.name == name)


def test_an_answer_may_take_as_long_as_it_is_asked_for_and_an_allowance() -> None:
    name = "reserve: ReserveInventory answered in time"
    asked_for = (2 * 10 + 1) * 1_000_000
    assert _within(expectations(PURCHASE), name) == asked_for + 30_000_000
    assert _within(expectations(PURCHASE, allowance=timedelta(0)), name) == asked_for


def test_it_reads_the_topics_of_the_definition_and_the_tables_of_its_effects() -> None:
    effect = Effect(source="stock", key="saga_id", done="true", time="at")
    saga = Saga(
        "p", 1, (Step("a", "A", "commands-a", "B", compensation_topic="undo-a", effect=effect),),
        events_topic="told", replies_topic="answers",
    )  # fmt: skip
    sources = expectations(saga).sources
    assert {name: source.topics for name, source in sources.items()} == {
        "saga-events": ("told",),
        "commands": ("commands-a", "undo-a"),
        "replies": ("answers",),
        "stock": (),
    }


def test_it_is_of_one_version_alone() -> None:
    workflow = expectations(PURCHASE)
    assert workflow.version == "1"
    assert all("sagaversion = '1'" in (each.where or "") for each in workflow.events.values())
