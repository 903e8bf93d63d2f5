"""From what a user gives to what a ledger takes in."""

from __future__ import annotations

from pathlib import Path

from sagacity.sources.gather import gather
from sagacity.sources.inputs import Files
from sagacity.workflow.model import EventType, Source, Workflow


def test_a_log_in_xes_becomes_records_and_its_source_is_completed(tmp_path: Path) -> None:
    log = tmp_path / "log.xes"
    log.write_text('<log><trace><event><string key="concept:name" value="A"/></event></trace></log>')
    workflow = Workflow(name="w", keys=("permit",), sources={"log": Source()}, events={"A": EventType(source="log")})
    completed, inputs = gather(workflow, {"log": log}, base=None)
    found = inputs["log"]
    assert isinstance(found, Files)
    assert (found.format, found.name(0)) == ("jsonl", str(log))
    assert b'"concept:name":"A"' in Path(found.paths[0]).read_bytes()
    assert completed.sources["log"].format == "xes"
    assert completed.sources["log"].keys == {"permit": '"case:concept:name"'}


def test_each_source_is_completed_by_what_was_given_for_it() -> None:
    workflow = Workflow(name="w", sources={"a": Source()}, events={"A": EventType(source="a")})
    rows, _ = gather(workflow, {"a": [{"type": "A"}]}, base=None)
    assert rows.sources["a"].type == "type"


def test_the_spool_lives_as_long_as_the_inputs(tmp_path: Path) -> None:
    log = tmp_path / "log.xes"
    log.write_text("<log/>")
    workflow = Workflow(name="w", sources={"log": Source()}, events={"A": EventType(source="log")})
    _, inputs = gather(workflow, {"log": log}, base=None)
    found = inputs.pop("log")
    assert isinstance(found, Files)
    path = Path(found.paths[0])
    assert path.exists()
    del found
    assert not path.parent.exists()
