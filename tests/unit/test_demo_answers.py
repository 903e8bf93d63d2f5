"""The planted answers, held against the reference judge: it finds what was planted, and nothing else."""

from __future__ import annotations

from importlib import resources

import pytest

from sagacity.demo.faults import FAULTS
from sagacity.demo.orders import Plan, Story, stories
from sagacity.demo.writing import WORKFLOW
from sagacity.judge import Judge
from sagacity.workflow.language.reader import loads, read
from sagacity.workflow.words.naming import names


@pytest.fixture(scope="module")
def text() -> str:
    return resources.files("sagacity.demo").joinpath(WORKFLOW).read_text(encoding="utf-8")


def _findings(judge: Judge, story: Story, as_of: int) -> list[tuple[str, str]]:
    verdict = judge.judge([event for event in story.events if event.time <= as_of], as_of)
    return sorted((judged.expectation, violation.kind) for judged in verdict.verdicts for violation in judged.violations)


@pytest.mark.parametrize(("seed", "faults"), [(7, 0.02), (1, 0.5), (20260901, 1.0)])
def test_the_judge_finds_what_was_planted_in_each_order_and_nothing_else(text: str, seed: int, faults: float) -> None:
    judge = Judge(loads(text))
    plan = Plan(orders=1500, seed=seed, faults=faults)
    planted = set()
    for story in stories(plan):
        if story.events[0].time > plan.as_of:
            continue
        expected = sorted(story.fault.findings) if story.fault else []
        assert _findings(judge, story, plan.as_of) == expected, (story.case, story.fault)
        planted |= {story.fault.name} if story.fault else set()
    assert faults < 0.5 or planted == {fault.name for fault in FAULTS}


def test_every_fault_names_expectations_of_the_workflow(text: str) -> None:
    known = set(names(loads(text)))
    assert {expectation for fault in FAULTS for expectation, _ in fault.findings} <= known


def test_faults_of_every_kind_are_planted() -> None:
    kinds = {kind for fault in FAULTS for _, kind in fault.findings}
    assert kinds == {"missing", "late", "duplicate", "out_of_order", "mismatch", "unexpected", "conflict"}


def test_every_expectation_is_violated_by_some_fault(text: str) -> None:
    violated = {expectation for fault in FAULTS for expectation, _ in fault.findings}
    assert set(names(loads(text))) == violated


def test_the_workflow_has_no_problems_and_no_doubtful_spots(text: str) -> None:
    _, problems = read(text, WORKFLOW)
    assert problems == ()
