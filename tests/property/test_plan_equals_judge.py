"""The law that makes a verdict trustworthy: the plan, run by an engine, says what the reference judge says of every case."""

from __future__ import annotations

import duckdb
import msgspec
import pytest
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import Log, as_ofs, cases_of, logs, workflows

from sagacity.judge import Judge
from sagacity.ledger.duckdb.engine import DuckDBEngine
from sagacity.ledger.duckdb.given import write_events
from sagacity.ledger.planned import run
from sagacity.ledger.verdicts import case_verdicts
from sagacity.plan.facts import Facts
from sagacity.plan.plan import compile_plan
from sagacity.plan.summary import findings
from sagacity.workflow.model import Workflow
from sagacity.workflow.verdict import CaseVerdict


def _sequenced(workflow: Workflow, log: Log) -> Workflow:
    """The workflow with positions declared, where the log has any: the plan relies on what the workflow says of them."""
    if all(event.seq == 0 for _, event in log):
        return workflow
    sources = {name: msgspec.structs.replace(source, seq="row") for name, source in workflow.sources.items()}
    return msgspec.structs.replace(workflow, sources=sources)


def _by_engine(workflow: Workflow, log: Log, as_of: int, screened: bool) -> dict[str, CaseVerdict]:
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        seen = [(case, event) for case, event in log if event.time <= as_of]
        named = [(c, e) for c, e in seen if e.type in workflow.events or workflow.unexpected == "forbid"]
        write_events(connection, workflow, named)
        plan = compile_plan(workflow, as_of, screened=screened)
        engine = DuckDBEngine(connection)
        run(engine, plan)
        found = findings(Facts(workflow, as_of)).sql("duckdb")
        assert connection.execute(f"SELECT COUNT(*) = COUNT(DISTINCT id) FROM ({found})").fetchone() == (True,)
        return case_verdicts(engine, plan)


def _by_judge(workflow: Workflow, log: Log, as_of: int) -> dict[str, CaseVerdict]:
    judge = Judge(workflow)
    verdicts = {}
    for case, events in cases_of(log, as_of).items():
        known = [e for e in events if e.type in workflow.events or workflow.unexpected == "forbid"]
        if any(event.time <= as_of for event in known):
            verdicts[case] = judge.judge(known, as_of)
    return verdicts


@pytest.mark.parametrize("screened", [True, False], ids=["screened", "all examined"])
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_plan_says_what_the_judge_says(screened: bool, data: st.DataObject) -> None:
    workflow = data.draw(workflows())
    log = data.draw(logs(workflow))
    as_of = data.draw(as_ofs())
    workflow = _sequenced(workflow, log)
    said = _by_engine(workflow, log, as_of, screened)
    meant = _by_judge(workflow, log, as_of)
    assert said.keys() == meant.keys()
    for case, verdict in meant.items():
        assert said[case].status == verdict.status
        assert said[case].ended == verdict.ended
        for got, wanted in zip(said[case].verdicts, verdict.verdicts, strict=True):
            assert got == wanted
        if said[case].start or said[case].end:  # the screen does not tell these of a clean case
            assert (said[case].start, said[case].end) == (verdict.start, verdict.end)
            assert said[case].redelivered == verdict.redelivered
