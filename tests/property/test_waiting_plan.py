"""The laws of a plan that is `waiting`: it clears more cases, and says of each the status, the end and the findings that
the reference judge gives, and no instant later than the one at which that may change."""

from __future__ import annotations

from typing import NamedTuple

import duckdb
import msgspec
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import Log, as_ofs, cases_of, logs, workflows

from sagacity.judge import Judge
from sagacity.ledger.duckdb.engine import DuckDBEngine
from sagacity.ledger.duckdb.given import write_events
from sagacity.ledger.planned import run
from sagacity.plan.facts import Facts
from sagacity.plan.fill import union_all
from sagacity.plan.plan import compile_plan
from sagacity.plan.summary import findings, waiting_cases
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import FOREVER


class Said(NamedTuple):
    status: str
    ended: bool
    findings: int
    due: int | None


def _drawn(data: st.DataObject) -> tuple[Workflow, Log, int]:
    workflow = data.draw(workflows())
    log = data.draw(logs(workflow))
    if any(event.seq for _, event in log):
        sources = {name: msgspec.structs.replace(source, seq="row") for name, source in workflow.sources.items()}
        workflow = msgspec.structs.replace(workflow, sources=sources)
    named = [(c, e) for c, e in log if e.type in workflow.events or workflow.unexpected == "forbid"]
    return workflow, named, data.draw(as_ofs())


def _by_engine(workflow: Workflow, log: Log, as_of: int) -> tuple[dict[str, Said], set[str]]:
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        write_events(connection, workflow, [(case, event) for case, event in log if event.time <= as_of])
        run(DuckDBEngine(connection), compile_plan(workflow, as_of, waiting=True))
        rows = connection.execute(union_all([*waiting_cases(Facts(workflow, as_of))]).sql("duckdb")).fetchall()
        found = findings(Facts(workflow, as_of)).sql("duckdb")
        violated = {case for (case,) in connection.execute(f"SELECT case_id FROM ({found}) AS f").fetchall()}
        return {case: Said(*told) for case, *told in rows}, violated


@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_waiting_plan_says_of_each_case_what_the_judge_says(data: st.DataObject) -> None:
    workflow, log, as_of = _drawn(data)
    said, violated = _by_engine(workflow, log, as_of)
    judge = Judge(workflow)
    meant = {case: judge.judge(events, as_of) for case, events in cases_of(log, as_of).items()}
    assert said.keys() == meant.keys()
    for case, verdict in meant.items():
        told, due = said[case], said[case].due
        assert told[:3] == (verdict.status, verdict.ended, sum(len(v.violations) for v in verdict.verdicts))
        assert (case in violated) == (verdict.status == "violated")
        pending = [each.due for each in verdict.verdicts if each.due is not None]
        if verdict.status != "violated":
            assert due is None or due > as_of
        latest = min([*pending, FOREVER])
        assert (FOREVER if due is None else due) <= latest


@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_verdict_changes_by_itself_before_a_case_is_due(data: st.DataObject) -> None:
    workflow, log, as_of = _drawn(data)
    said, _ = _by_engine(workflow, log, as_of)
    judge = Judge(workflow)
    present = [(case, event) for case, event in log if event.time <= as_of]
    for case, events in cases_of(present, as_of).items():
        due = said[case].due
        upto = as_of + 12 if due is None else min(due - 1, as_of + 12)
        now, then = judge.judge(events, as_of), judge.judge(events, max(upto, as_of))
        assert (now.status, now.ended) == (then.status, then.ended)
        assert [each.violations for each in now.verdicts] == [each.violations for each in then.verdicts]
