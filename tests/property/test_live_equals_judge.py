"""The law of the live ledger: whatever the batches, the order of arrival, the copies and the rounds of judging in between,
it says in the end what the reference judge says of all events."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from effort import examples
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from strategies import LAST, Log, cases_of, logs, workflows

from live_records import batch_of, positioned
from sagacity.judge import Judge
from sagacity.judge.withheld import withhold
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.ledger.live import CaseFilter, FindingFilter, Outlook
from sagacity.workflow.model import Workflow
from sagacity.workflow.verdict import CaseVerdict
from sagacity.workflow.words.naming import names


def _judged(workflow: Workflow, log: Log, as_of: int, behind: dict[str, int]) -> dict[str, CaseVerdict]:
    judge = Judge(workflow)
    return {
        case: withhold(workflow, judge.judge(events, as_of), behind)[0]
        for case, events in cases_of(log, as_of, workflow).items()
    }


def _findings(verdicts: dict[str, CaseVerdict]) -> set[tuple[Any, ...]]:
    return {
        (case, verdict.expectation, it.kind, it.since, it.type, it.time, it.activation)
        for case, found in verdicts.items()
        for verdict in found.verdicts
        for it in verdict.violations
    }


def _held(ledger: DuckDBLiveLedger) -> set[tuple[Any, ...]]:
    page = ledger.findings(FindingFilter(states=("open",)), limit=500)
    assert page.cursor is None
    return {(it.case, it.expectation, it.kind, it.since, it.type, it.time, it.activation) for it in page.items}


@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_live_ledger_says_in_the_end_what_the_judge_says(data: st.DataObject) -> None:
    _hold(data, archive_after=None)


@settings(max_examples=examples(10), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_it_says_the_same_however_often_cases_go_to_the_archive_and_come_back(data: st.DataObject) -> None:
    _hold(data, archive_after=data.draw(st.sampled_from((0, 0, 1, 3))))


def _hold(data: st.DataObject, archive_after: int | None) -> None:
    """Draw a workflow, a log and how it arrives, and hold the ledger to what the judge says of it."""
    workflow = positioned(data.draw(workflows()))
    log = data.draw(logs(workflow))
    arrivals = data.draw(st.permutations(log))
    again = data.draw(st.lists(st.sampled_from(log), max_size=4))
    arrivals = [*arrivals, *again] if data.draw(st.booleans()) else [*again, *arrivals]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(arrivals)), max_size=3)))
    final = data.draw(st.sampled_from((4, 6, LAST, LAST + 2, LAST + 20)))
    rounds = sorted(data.draw(st.lists(st.integers(0, final), min_size=len(cuts) + 1, max_size=len(cuts) + 1)))
    behind = data.draw(st.dictionaries(st.sampled_from(("log", "queue")), st.integers(0, final - 1)))
    called = names(workflow)
    with tempfile.TemporaryDirectory() as folder:
        ledger = DuckDBLiveLedger(Path(folder), threads=1, memory="256MB", archive_after=archive_after)
        try:
            ledger.adopt(workflow, _text(workflow), by="test", now=1)
            for place, (start, stop) in enumerate(zip([0, *cuts], [*cuts, len(arrivals)], strict=True)):
                if start < stop:
                    ledger.append(batch_of(workflow, arrivals[start:stop], start), now=10 + place)
                ledger.judge(Outlook(rounds[place], behind), now=20 + place)
                if archive_after is not None and data.draw(st.booleans()):
                    ledger.upkeep(now=100 + place)
            ledger.judge(Outlook(final, behind), now=30)
            meant = _judged(workflow, arrivals, final, behind)
            statuses = {row.case: row for row in ledger.cases(CaseFilter(), limit=500).items if row.first <= final}
            assert _apart(_held(ledger), _findings(meant)) == (set(), set())
            assert {case: row.status for case, row in statuses.items()} == {case: it.status for case, it in meant.items()}
            assert {case: row.ended for case, row in statuses.items()} == {case: it.ended for case, it in meant.items()}
            assert {it.expectation for it in ledger.findings(FindingFilter(), limit=500).items} <= set(called)
            if archive_after is not None:
                before = ledger.counts(workflow.name), {case: ledger.events(workflow.name, case) for case in meant}
                archived = ledger.upkeep(now=200).archived
                event("archived" if archived else "nothing to archive")
                assert before == (
                    ledger.counts(workflow.name),
                    {case: ledger.events(workflow.name, case) for case in meant},
                )
            ledger.judge(Outlook(final, {}), now=40)
            assert _apart(_held(ledger), _findings(_judged(workflow, arrivals, final, {}))) == (set(), set())
            for account in ledger.accounts():
                assert account.records == (
                    account.matched
                    + account.redelivered
                    + account.late
                    + account.unmatched
                    + account.orphan
                    + account.rejected
                )
                assert account.rejected == 0
            opened = len(ledger.findings(FindingFilter(), limit=500).items)
            replayed = ledger.replay(0, LAST + 50, Outlook(final, {}), now=50)
            assert (replayed.opened, replayed.reopened, replayed.resolved) == (0, 0, 0)
            assert len(ledger.findings(FindingFilter(), limit=500).items) == opened
        finally:
            ledger.close()


def _apart(held: set[tuple[Any, ...]], meant: set[tuple[Any, ...]]) -> tuple[set[tuple[Any, ...]], ...]:
    return held - meant, meant - held


def _text(workflow: Workflow) -> str:
    from sagacity.workflow.language.writer import dump

    return dump(workflow)
