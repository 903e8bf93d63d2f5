"""What a format already says about a source."""

from __future__ import annotations

from sagacity.workflow.formats import complete, with_defaults
from sagacity.workflow.model import EventType, Source, Workflow


def test_an_event_log_in_xes_needs_nothing_but_its_format() -> None:
    assert with_defaults(Source(format="xes"), "permit") == Source(
        format="xes",
        type='"concept:name"',
        time='"time:timestamp"',
        seq="row",
        keys={"permit": '"case:concept:name"'},
    )


def test_what_the_author_stated_is_not_touched() -> None:
    source = Source(format="xes", type='"org:resource"', seq="n", keys={"other": "x"})
    assert with_defaults(source, "permit") == Source(
        format="xes", type='"org:resource"', time='"time:timestamp"', seq="n", keys={"other": "x"}
    )


def test_a_jsonl_source_that_says_nothing_holds_cloud_events() -> None:
    assert with_defaults(Source(format="jsonl"), "order") == Source(format="jsonl", type="type", time="time", id="id")
    assert with_defaults(Source(format="jsonl", time="at"), "order") == Source(format="jsonl", time="at")
    assert with_defaults(Source(format="csv"), "order") == Source(format="csv")


def test_a_format_that_only_the_input_tells_counts_as_if_it_were_stated() -> None:
    assert with_defaults(Source(), "order") == Source()
    assert with_defaults(Source(), "order", "xes").type == '"concept:name"'
    assert with_defaults(Source(format="csv"), "order", "xes") == Source(format="csv")


def test_a_workflow_is_completed_source_by_source() -> None:
    workflow = Workflow(
        name="w",
        keys=("order",),
        sources={"log": Source(format="xes"), "wide": Source(format="jsonl")},
        events={
            "A": EventType(source="log"),
            "Approved": EventType(source="wide", time="approved_at"),
            "Shipped": EventType(source="wide", time="shipped_at"),
            "B": EventType(source="events", where="amount > 0"),
        },
    )
    completed = complete(workflow, {"events": "jsonl"})
    assert completed.sources["log"].keys == {"order": '"case:concept:name"'}
    assert completed.sources["wide"] == Source(format="jsonl")
    assert completed.sources["events"].type == "type"
    assert complete(completed, {"events": "jsonl"}) == completed
