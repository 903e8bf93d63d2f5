"""The law of the engines: a plan says on each of them what the reference judge says of every case."""

from __future__ import annotations

import msgspec
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import LAST, Log, as_ofs, cases_of, logs, workflows

from engines import Ground
from sagacity.judge import Judge
from sagacity.judge.withheld import withhold
from sagacity.ledger.verdicts import case_verdicts
from sagacity.plan.facts import Facts
from sagacity.plan.fill import fill
from sagacity.plan.plan import Plan, compile_plan
from sagacity.plan.summary import findings
from sagacity.plan.withheld import withheld
from sagacity.workflow.awaited import awaited
from sagacity.workflow.model import Workflow
from sagacity.workflow.verdict import CaseVerdict


def test_an_engine_says_what_the_judge_says(ground: Ground) -> None:
    @settings(max_examples=examples(ground.examples), deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def law(data: st.DataObject) -> None:
        workflow = data.draw(workflows(most=6))
        log = data.draw(logs(workflow))
        as_of = data.draw(as_ofs())
        workflow = _sequenced(workflow, log)
        plan = compile_plan(workflow, as_of, screened=data.draw(st.booleans()))
        named = [(c, e) for c, e in log if e.type in workflow.events or workflow.unexpected == "forbid"]
        judge = Judge(workflow)
        meant = {case: judge.judge(events, as_of) for case, events in cases_of(named, as_of).items()}
        _equal(ground.verdicts(plan, [(case, event) for case, event in named if event.time <= as_of]), meant)
        found = findings(Facts(workflow, as_of))
        ((all_of_them, different),) = ground.engine.rows(
            fill("SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS ids FROM :found AS f", found=found)
        )
        assert all_of_them == different == sum(len(it.violations) for verdict in meant.values() for it in verdict.verdicts)
        _withheld(ground, data, plan, meant)

    law()


def _withheld(ground: Ground, data: st.DataObject, plan: Plan, meant: dict[str, CaseVerdict]) -> None:
    """What a source that is behind might mend is pending on every engine."""
    workflow = plan.workflow
    behind = data.draw(st.dictionaries(st.sampled_from(("log", "queue")), st.integers(0, LAST)))
    query = withheld(awaited(workflow), behind)
    if query is None:
        return
    ground.engine.make("held", query)
    ground.engine.make("outcomes", fill("SELECT c, x, state, n, r, kind, at, label, label_time, leg FROM held"))
    said = case_verdicts(ground.engine, plan)
    for case, verdict in meant.items():
        waits, _ = withhold(workflow, verdict, behind)
        assert [it.violations for it in said[case].verdicts] == [it.violations for it in waits.verdicts]


def _sequenced(workflow: Workflow, log: Log) -> Workflow:
    """The workflow with positions declared, where the log has any: the plan relies on what the workflow says of them."""
    if all(event.seq == 0 for _, event in log):
        return workflow
    sources = {name: msgspec.structs.replace(source, seq="row") for name, source in workflow.sources.items()}
    return msgspec.structs.replace(workflow, sources=sources)


def _equal(said: dict[str, CaseVerdict], meant: dict[str, CaseVerdict]) -> None:
    assert said.keys() == meant.keys()
    for case, verdict in meant.items():
        assert (said[case].status, said[case].ended) == (verdict.status, verdict.ended)
        for got, wanted in zip(said[case].verdicts, verdict.verdicts, strict=True):
            assert got == wanted
        if said[case].start or said[case].end:  # the screens do not tell these of a case that they clear
            assert (said[case].start, said[case].end) == (verdict.start, verdict.end)
            assert said[case].redelivered == verdict.redelivered
