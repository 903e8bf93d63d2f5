"""What the other property tests are drawn from is worth drawing: sound workflows, and findings of every kind."""

from __future__ import annotations

from typing import get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import as_ofs, cases_of, logs, workflows

from sagacity.judge import Judge
from sagacity.workflow.checks import check
from sagacity.workflow.model import Workflow
from sagacity.workflow.verdict import CaseStatus, FindingKind, Status


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(workflow=workflows())
def test_no_drawn_workflow_is_turned_down(workflow: Workflow) -> None:
    assert [str(problem) for problem in check(workflow) if problem.severity == "error"] == []


def test_every_kind_of_finding_and_every_verdict_is_drawn() -> None:
    kinds: set[FindingKind] = set()
    statuses: set[Status] = set()
    cases: set[CaseStatus] = set()

    @settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def draw(data: st.DataObject) -> None:
        workflow = data.draw(workflows())
        log, as_of = data.draw(logs(workflow)), data.draw(as_ofs())
        judge = Judge(workflow)
        for events in cases_of(log, as_of, workflow).values():
            case = judge.judge(events, as_of)
            cases.add(case.status)
            statuses.update(verdict.status for verdict in case.verdicts)
            kinds.update(violation.kind for verdict in case.verdicts for violation in verdict.violations)

    draw()
    assert (kinds, statuses, cases) == (set(get_args(FindingKind)), set(Status), set(CaseStatus))
