"""The reference judge and the plan are held to verdicts on real logs on which independent tools agree."""

from __future__ import annotations

import pytest

from known_answers import LOGS, known_answers
from sagacity.judge import Judge
from sagacity.ledger.duckdb.connection import connect, discard
from sagacity.ledger.duckdb.verdicts import case_verdicts, run, write_events
from sagacity.plan.plan import compile_plan
from sagacity.workflow.trace import FOREVER
from sagacity.workflow.verdict import Status


@pytest.mark.parametrize("log", LOGS)
def test_the_reference_judge_gives_the_known_verdicts(log: str) -> None:
    answers = known_answers(log)
    judge = Judge(answers.workflow)
    wrong = [
        f"{case}: {verdict.expectation} is {verdict.status}"
        for case, satisfied in answers.satisfied.items()
        for verdict, expected in zip(judge.judge(answers.cases[case], FOREVER).verdicts, satisfied, strict=True)
        if expected != (verdict.status in (Status.SATISFIED, Status.VACUOUS))
    ]
    assert wrong[:10] == []


@pytest.mark.parametrize("log", LOGS)
def test_the_plan_gives_the_known_verdicts(log: str) -> None:
    answers = known_answers(log)
    connection = connect(threads=2)
    try:
        rows = [(case, event) for case, events in answers.cases.items() for event in events]
        write_events(connection, answers.workflow, rows)
        plan = compile_plan(answers.workflow, FOREVER)
        run(connection, plan)
        found = case_verdicts(connection, plan)
    finally:
        discard(connection)
    wrong = [
        f"{case}: {verdict.expectation} is {verdict.status}"
        for case, satisfied in answers.satisfied.items()
        for verdict, expected in zip(found[case].verdicts, satisfied, strict=True)
        if expected != (verdict.status in (Status.SATISFIED, Status.VACUOUS))
    ]
    assert wrong[:10] == []


def test_there_are_34744_known_verdicts_of_which_14434_are_violated() -> None:
    verdicts = [one for log in LOGS for case in known_answers(log).satisfied.values() for one in case]
    assert (len(verdicts), verdicts.count(False)) == (34_744, 14_434)


@pytest.mark.parametrize("log", LOGS)
def test_the_order_of_a_known_log_is_that_of_its_times(log: str) -> None:
    for events in known_answers(log).cases.values():
        assert [event.time for event in events] == sorted(event.time for event in events)
