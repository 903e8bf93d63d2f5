"""The law of links that come late: whatever the batches, each event is put where all events at once would put it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import pytest
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_correlation import Row, expected

from live_records import iso
from live_story import SECOND, START, Story
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.ledger.live import CaseFilter, Outlook
from sagacity.sources.stream import Batch
from sagacity.workflow.language.reader import loads

KEYS = ("order", "payment", "shipment")
TEXT = """\
workflow: order
keys: [order, payment, shipment]
sources: {all: {type: type, time: time, id: id, key: {order: order, payment: payment, shipment: shipment}}}
events: {Seen: , Done: }
timeout: 1h
expect: {Done: within 10s of Seen}
"""
_value = st.one_of(st.none(), st.sampled_from("abcd"))


def _body(place: int, row: Row) -> bytes:
    keys = {key: value for key, value in zip(KEYS, row, strict=True) if value is not None}
    return msgspec.json.encode({"type": "Seen", "time": iso(START + place), "id": f"e{place}", **keys})


def _cases(ledger: DuckDBLiveLedger) -> dict[str, set[str]]:
    cases = [row.case for row in ledger.cases(CaseFilter(), limit=500).items if row.events]
    return {case: {str(stored.event.id) for stored in ledger.events("order", case)} for case in cases}


@settings(max_examples=examples(10), deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(st.tuples(_value, _value, _value), min_size=1, max_size=14), data=st.data())
def test_late_links_put_events_where_all_at_once_would(rows: list[Row], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    with tempfile.TemporaryDirectory() as folder:
        ledger = DuckDBLiveLedger(Path(folder), threads=1, memory="256MB")
        try:
            ledger.adopt(loads(TEXT), TEXT, by="test", now=1)
            for start, stop in zip([0, *cuts], [*cuts, len(rows)], strict=True):
                bodies = [_body(place, rows[place]) for place in range(start, stop)]
                if bodies:
                    part = data.draw(st.sampled_from("01"))
                    ledger.append(
                        [Batch(source="all", part=part, bodies=bodies, positions=range(start, stop), resume=stop)], 1
                    )
            meant: dict[str, set[str]] = {}
            outcome = expected(rows)
            for place, (case, _) in enumerate(outcome):
                if case is not None:
                    meant.setdefault(case, set()).add(f"e{place}")
            assert _cases(ledger) == meant
            (account,) = ledger.accounts()
            assert account.orphan == sum(case is None for case, _ in outcome)
            assert account.matched == sum(case is not None for case, _ in outcome)
            ledger.judge(Outlook(START + 3_600 * SECOND), now=2)
            counted = {row.case: row.events for row in ledger.cases(CaseFilter(), limit=500).items}
            assert {case: n for case, n in counted.items() if n} == {case: len(events) for case, events in meant.items()}
        finally:
            ledger.close()


@pytest.fixture
def story(tmp_path: Path):  # type: ignore[no-untyped-def]
    with Story(tmp_path, TEXT, sources=("all",)) as story:
        yield story


def see(story: Story, order: str | None, at: float, type: str = "Seen", **keys: str) -> None:
    story.tell(type, order, at, source="all", id=f"{type}-{at}", **keys)


def test_a_payment_that_comes_before_its_link_lands_in_the_order_when_that_comes(story: Story) -> None:
    see(story, None, 0, payment="p")
    story.round(0.1)
    assert (story.cases(), story.account("all").orphan) == ([], 1)
    see(story, "1", 1, payment="p")
    story.round(1.1)
    assert (story.case().events, story.account("all").orphan) == (2, 0)


def test_a_link_that_comes_late_changes_a_verdict_that_was_given(story: Story) -> None:
    see(story, "1", 0)
    story.round(0.1)
    see(story, None, 5, type="Done", shipment="s")
    story.round(5.1)
    story.round(20)
    assert story.finding().state == "open"
    see(story, "1", 6, shipment="s")
    story.round(21)
    story.round(30)
    assert [(it.state, it.case) for it in story.findings(kind="missing") if it.time == START] == [("resolved", "1")]


def test_what_becomes_ambiguous_leaves_its_case(story: Story) -> None:
    see(story, "1", 0, payment="p")
    see(story, None, 1, type="Done", payment="p")
    story.round(1.1)
    story.round(20)
    assert story.findings() == []
    see(story, "2", 2, payment="p")
    story.round(21)
    story.round(30)
    assert {case: story.case(case).events for case in story.cases()} == {"1": 1, "2": 1}
    assert {finding.case for finding in story.findings(states=("open",))} == {"1", "2"}


def test_a_chain_of_links_is_followed_whichever_end_comes_last(story: Story) -> None:
    see(story, None, 0, shipment="s1", type="Done")
    see(story, None, 1, payment="p1", shipment="s1")
    story.round(1.1)
    see(story, "1", 2, payment="p1")
    story.round(2.1)
    see(story, "2", 0, payment="p2")
    story.round(2.2)
    see(story, None, 3, payment="p2", shipment="s2")
    story.round(3.1)
    see(story, None, 4, shipment="s2", type="Done")
    story.round(4.1)
    assert {case: len(story.ledger.events("order", case)) for case in story.cases()} == {"1": 3, "2": 3}
    story.round(60)
    assert {case: story.case(case).events for case in story.cases()} == {"1": 3, "2": 3}
