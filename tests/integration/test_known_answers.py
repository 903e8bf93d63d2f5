"""The judge and the live ledger are held to verdicts on real logs on which independent tools agree. The engines of a history
are in `tests/conformance/test_ledger.py`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from known_answers import LOGS, known_answers
from live_records import batch_of
from sagacity.judge import Judge
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.ledger.live import CaseFilter, FindingFilter, Outlook, Page
from sagacity.workflow.language.writer import dump
from sagacity.workflow.model import Source
from sagacity.workflow.trace import FOREVER
from sagacity.workflow.verdict import Status
from sagacity.workflow.words.naming import names

_BATCHES = 2


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
def test_the_live_ledger_gives_the_known_verdicts(log: str, tmp_path: Path) -> None:
    """The records come in batches across cases, in the order of their times; once the log is complete, the open findings of
    a case are the expectations that it violates."""
    answers = known_answers(log)
    source = Source(format="jsonl", type="type", time="time", seq="seq", keys={"case": "case"})
    workflow = replace(answers.workflow, sources={"log": source})
    records = sorted(
        ((event, case) for case, events in answers.cases.items() for event in events), key=lambda it: it[0].time
    )
    ledger = DuckDBLiveLedger(tmp_path, threads=2, memory="1GB")
    try:
        ledger.adopt(workflow, dump(workflow), by="test", now=1)
        cuts = [len(records) * part // _BATCHES for part in range(_BATCHES + 1)]
        for number, (start, stop) in enumerate(itertools.pairwise(cuts)):
            events = [(case, event) for event, case in records[start:stop]]
            ledger.append(batch_of(workflow, events, start), now=number + 1)
            if stop < len(records):
                ledger.judge(Outlook(records[stop - 1][0].time - 1), now=number + 1)
        ledger.judge(Outlook(FOREVER), now=_BATCHES + 1)
        violated = _violated(ledger)
        statuses = {row.case: row.status.value for row in _all(lambda it: ledger.cases(CaseFilter(), cursor=it, limit=500))}
    finally:
        ledger.close()
    called = names(workflow)
    meant = {
        (case, called[place])
        for case, satisfied in answers.satisfied.items()
        for place, holds in enumerate(satisfied)
        if not holds
    }
    assert (violated - meant, meant - violated) == (set(), set())
    bad = {case for case, _ in meant}
    assert {case for case, status in statuses.items() if status == "violated"} == bad
    assert len(statuses) == len(answers.cases)


def _violated(ledger: DuckDBLiveLedger) -> set[tuple[str, str]]:
    open_ones = FindingFilter(states=("open",))
    found = _all(lambda cursor: ledger.findings(open_ones, cursor=cursor, limit=500))
    return {(finding.case, finding.expectation) for finding in found}


def _all(page: Callable[[str | None], Page[Any]]) -> Iterator[Any]:
    cursor = None
    while True:
        found = page(cursor)
        yield from found.items
        if (cursor := found.cursor) is None:
            return


def test_there_are_34744_known_verdicts_of_which_14434_are_violated() -> None:
    verdicts = [one for log in LOGS for case in known_answers(log).satisfied.values() for one in case]
    assert (len(verdicts), verdicts.count(False)) == (34_744, 14_434)


@pytest.mark.parametrize("log", LOGS)
def test_the_order_of_a_known_log_is_that_of_its_times(log: str) -> None:
    for events in known_answers(log).cases.values():
        assert [event.time for event in events] == sorted(event.time for event in events)
