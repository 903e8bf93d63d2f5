"""What the other property tests are drawn from is worth drawing: sound workflows, and every kind of finding."""

from __future__ import annotations

from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from strategies import as_ofs, cases_of, logs, workflows

from sagacity.judge import Judge
from sagacity.workflow.checks import check
from sagacity.workflow.verdict import FindingKind

print(find, FindingKind, as_ofs, cases_of, logs, Judge)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(workflow=workflows())
def test_no_drawn_workflow_is_turned_down(workflow) -> None:
    assert [str(problem) for problem in check(workflow) if problem.severity == "error"] == []
