"""Workflows are changed while a ledger is in use: kept records are read anew, and findings keep their lives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from live_story import ORDER, SECOND, START, HandClock, HandStream, Story
from sagacity.errors import MemoryLimitError, SagacityError, UsageError
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.ledger.live import Action
from sagacity.reconcile.live import Change, Live
from sagacity.reconcile.watermark import Patience
from sagacity.workflow.language.reader import loads

STRICTER = ORDER.replace("within 10s", "within 5s")
LENIENT = ORDER.replace("within 10s", "within 30s")
WITHOUT = ORDER[: ORDER.index("expect:")] + "expect:\n  Placed: once\n"
WITH_MORE = ORDER.replace("  Shipped:\n", "  Shipped:\n  Checked:\n") + "  Checked: within 10s of Placed\n"
OTHER = """\
workflow: parcels
keys: parcel
sources: {orders: {type: type, time: time, id: id, key: parcel}}
events: {Shipped: , Arrived: }
timeout: 1h
expect: {Arrived: within 10s of Shipped}
"""


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Order 1 is not paid, order 2 is paid after seven seconds, order 3 in time."""
    with Story(tmp_path) as story:
        for order, paid in (("1", None), ("2", 7), ("3", 1)):
            story.tell("Placed", order, 0)
            if paid is not None:
                story.tell("Paid", order, paid)
        story.round(0.1)
        story.round(20)
        assert [finding.case for finding in story.findings()] == ["1"]
        yield story


def finish(story: Story, at: float) -> None:
    story.live.ask(lambda ledger: ledger.as_of())  # whatever was done to the ledger beside it
    while any(stored.progress < 1 for stored in story.ledger.workflows()):
        story.round(at)
    story.round(at)


def found(story: Story) -> dict[str, str]:
    return {finding.case: finding.state for finding in story.findings()}


def test_kept_records_are_judged_by_the_new_workflow(story: Story) -> None:
    story.adopt(STRICTER)
    finish(story, 21)
    assert found(story) == {"1": "open", "2": "open"}
    (stored,) = story.ledger.workflows()
    assert (stored.revision, stored.text, stored.progress) == (2, STRICTER, 1.0)
    assert sorted(story.cases()) == ["1", "2", "3"]


def test_findings_keep_their_lives(story: Story) -> None:
    before = story.finding()
    story.ledger.act(before.id, Action(what="acknowledge", by="ann", reason="looking"), story.clock.now())
    story.adopt(ORDER + "# said again\n")
    finish(story, 21)
    after = story.finding()
    assert (after.id, after.state, after.by, after.opened) == (before.id, "acknowledged", "ann", before.opened)
    assert story.life() == ["opened", "acknowledged"]
    assert [kind for kind, _ in story.told()] == ["opened"]


def test_what_the_new_workflow_allows_is_resolved(story: Story) -> None:
    story.adopt(LENIENT)
    finish(story, 21)
    assert found(story) == {"1": "resolved"}
    story.round(40)
    assert found(story) == {"1": "open"}
    assert story.life() == ["opened", "resolved", "reopened"]


def test_findings_of_an_expectation_that_is_gone_are_resolved_and_that_is_told(story: Story) -> None:
    story.adopt(WITHOUT)
    finish(story, 21)
    finding = story.finding()
    assert (finding.state, finding.resolved, finding.late) == ("resolved", START + 21 * SECOND, 11 * SECOND)
    assert [kind for kind, _ in story.told()] == ["opened", "resolved"]


def test_the_old_verdicts_stand_while_records_are_read_anew_step_by_step(story: Story) -> None:
    story.adopt(STRICTER)
    shares = []
    while (share := story.ledger.rejudge(story.clock.now(), most=2)) < 1:
        shares.append(share)
        assert found(story) == {"1": "open"}
        (stored,) = story.ledger.workflows()
        assert (stored.revision, stored.progress) == (2, share)
        assert story.case("2").status.value != "violated"
    assert shares == [0.4, 0.8]
    finish(story, 22)
    assert found(story) == {"1": "open", "2": "open"}


def test_what_comes_while_records_are_read_anew_is_neither_lost_nor_doubled(story: Story) -> None:
    story.adopt(STRICTER)
    story.ledger.rejudge(story.clock.now(), most=2)
    story.tell("Placed", "4", 20)
    story.tell("Paid", "1", 4)
    story.ledger.append(story.stream.poll(0, 0), story.clock.now())
    story.restart()
    finish(story, 30)
    assert {case: story.case(case).events for case in story.cases()} == {"1": 2, "2": 2, "3": 2, "4": 1}
    assert found(story) == {"1": "resolved", "2": "open", "4": "open"}
    assert story.account().records == 7


def test_changing_it_again_meanwhile_leaves_the_last_word_to_the_last(story: Story) -> None:
    story.adopt(STRICTER)
    story.ledger.rejudge(story.clock.now(), most=2)
    story.adopt(LENIENT)
    finish(story, 21)
    assert found(story) == {"1": "resolved"}
    (stored,) = story.ledger.workflows()
    assert (stored.text, stored.progress, stored.revision) == (LENIENT, 1.0, 3)


def test_a_new_event_type_is_found_among_the_records_that_are_kept(tmp_path: Path) -> None:
    with Story(tmp_path) as story:
        story.tell("Placed", "1", 0)
        story.tell("Paid", "1", 1)
        story.tell("Checked", "1", 2)
        story.round(0.1)
        story.round(20)
        assert story.account().unmatched == 1
        story.adopt(WITH_MORE)
        finish(story, 21)
        assert story.findings() == []
        assert (story.account().unmatched, story.case().events) == (0, 3)


def test_records_that_are_read_anew_have_not_come_late(story: Story) -> None:
    story.adopt(STRICTER)
    finish(story, 21)
    assert (story.account().matched, story.account().late) == (5, 0)


def test_adopting_what_is_there_changes_nothing(story: Story) -> None:
    story.adopt(ORDER)
    (stored,) = story.ledger.workflows()
    assert (stored.revision, stored.progress, stored.by) == (1, 1.0, "test")


def test_a_bad_workflow_is_refused_and_the_old_one_stays(story: Story) -> None:
    with pytest.raises(SagacityError):
        story.adopt(ORDER.replace("of Placed", "of Plcaed"))
    assert [stored.text for stored in story.ledger.workflows()] == [ORDER]
    story.tell("Placed", "9", 21)
    story.round(22)
    story.round(60)
    assert found(story) == {"1": "open", "9": "open"}


def test_several_workflows_judge_the_same_source(story: Story) -> None:
    story.adopt(OTHER)
    story.tell("Shipped", "3", 21, parcel="p")
    story.round(22)
    finish(story, 60)
    assert {(finding.workflow, finding.case) for finding in story.findings()} == {("order", "1"), ("parcels", "p")}
    accounts = {account.workflow: account for account in story.ledger.accounts()}
    assert (accounts["order"].matched, accounts["order"].records) == (6, 6)
    assert (accounts["parcels"].matched, accounts["parcels"].unmatched) == (1, 5)


def test_a_workflow_that_comes_after_the_records_finds_them(story: Story) -> None:
    story.tell("Shipped", "3", 5, parcel="p")
    story.round(21)
    story.adopt(OTHER)
    finish(story, 60)
    assert [finding.case for finding in story.findings(workflow="parcels")] == ["p"]


def test_a_workflow_that_does_not_say_how_events_are_read_is_refused(tmp_path: Path) -> None:
    with Story(tmp_path) as story:
        workflow = loads(ORDER)
        timeless = replace(workflow, sources={"orders": replace(workflow.sources["orders"], time=None)})
        with pytest.raises(UsageError):
            story.ledger.adopt(timeless, "changed", by="test", now=START)
        assert [stored.text for stored in story.ledger.workflows()] == [ORDER]


def test_what_was_put_in_place_stays_while_the_file_says_what_it_said_before(story: Story) -> None:
    def given(text: str) -> str:
        return story.ledger.adopt(loads(text), text, by="serve", now=story.clock.now(), given=True).text

    (first,) = story.ledger.workflows()
    assert given(first.text) == first.text
    story.adopt(STRICTER, by="maria")
    finish(story, 21)
    assert given(first.text) == STRICTER
    assert [(each.by, each.revision) for each in story.ledger.workflows()] == [("maria", 2)]
    changed = first.text + "# and a note\n"
    assert given(changed) == changed
    finish(story, 22)
    assert given(changed) == changed


class _ShortOfMemory(DuckDBLiveLedger):
    """Reads no more records anew than there is memory for: `most` of them."""

    most = 0

    def rejudge(self, now: int, most: int = 100_000) -> float:
        if most > self.most:
            raise MemoryLimitError("the memory limit was reached", hint="give it more")
        return super().rejudge(now, most)


def _live(ledger: DuckDBLiveLedger, stream: HandStream, clock: HandClock) -> Live:
    live = Live(ledger, [stream], clock=clock, patience=Patience(lateness=2 * SECOND, idle=SECOND // 2))
    live.begin()
    return live


def test_what_there_is_no_memory_to_read_anew_at_once_is_read_in_parts_and_records_go_on_being_kept(tmp_path: Path) -> None:
    clock, stream = HandClock(), HandStream()
    ledger = _ShortOfMemory(tmp_path, threads=1, memory="256MB")
    try:
        ledger.adopt(loads(ORDER), ORDER, by="test", now=clock.now())
        live, told = _live(ledger, stream, clock), list[Change]()
        live.listen(told.append)
        placed = [b'{"type":"Placed","time":"2026-09-21T15:06:40Z","id":"%d","order":"%d"}' % (n, n) for n in range(5)]
        stream.hand("orders", placed[:4])
        live.tick()
        ledger.adopt(loads(STRICTER), STRICTER, by="test", now=clock.now())
        stream.hand("orders", placed[4:])
        live.tick()  # there is no memory for a single one
        assert [change.records for change in told] == [4, 1]
        assert "memory" in str(live.status().problem)
        ledger.most = 2
        for _ in range(5):
            clock.at += 10 * SECOND
            live.tick()
        assert live.status().problem is None
        (stored,) = ledger.workflows()
        assert (stored.revision, stored.progress) == (2, 1.0)
    finally:
        ledger.close()


def test_large_records_are_read_anew_a_few_at_a_time(tmp_path: Path) -> None:
    with Story(tmp_path) as story:
        for order in ("1", "2", "3"):
            story.tell("Placed", order, 0, filling="x" * 12_000_000)
        story.round(0.1)
        story.adopt(STRICTER)
        assert [round(story.ledger.rejudge(story.clock.now()), 2) for _ in range(2)] == [0.67, 1.0]


def test_a_workflow_is_compiled_once_and_not_again_when_it_takes_over(story: Story) -> None:
    story.adopt(STRICTER)
    compiled = {w: revision.judging for w, revision in story.ledger._revisions.items()}
    finish(story, 21)
    assert found(story) == {"1": "open", "2": "open"}
    for w, revision in story.ledger._revisions.items():
        assert revision.current
        assert revision.judging is compiled[w]
